#pragma once
// report.html of a run: curves, metrics, sample pictures and the configuration in one file that
// needs nothing else.
#include <string>
#include <vector>

namespace cairn {

/// One line of a chart. Points with y that is not finite are left out.
struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

/// An SVG of the curves with axes, ticks and a legend; a logarithmic y axis if `log_y`.
std::string svg_chart(const std::string& title, const std::string& x_label,
                      const std::vector<Curve>& curves, bool log_y);

/// Reads DIR/log.jsonl, DIR/config.toml and DIR/samples/*.png; replaces DIR/report.html atomically.
void write_run_report(const std::string& dir);

}  // namespace cairn
