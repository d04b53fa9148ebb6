#include "training/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "training/run_log.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

const char* const style = R"(
:root { color-scheme: light dark; --ink: #1d2733; --paper: #fdfdfb; --line: #c9cfd6; --soft: #66727f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --paper: #14181d; --line: #3a434d; --soft: #98a3ae; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 1rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.axis { stroke: var(--line); stroke-width: 1; } .soft { fill: var(--soft) !important; }
table { border-collapse: collapse; display: block; overflow-x: auto; } td, th { padding: .15rem .8rem .15rem 0; text-align: right; }
td:first-child, th:first-child { text-align: left; } tr { border-bottom: 1px solid var(--line); }
figure { margin: 0 0 1.2rem; } figure img { max-width: 100%; image-rendering: pixelated; }
figcaption, .note { color: var(--soft); font-size: .9rem; }
.warning { border-left: 4px solid #d1446c; padding-left: .8rem; }
pre { background: color-mix(in srgb, var(--line) 30%, transparent); padding: .8rem; overflow-x: auto; }
)";

const char* const colours[] = {"#2a78d6", "#e0662b", "#2f9e60", "#a04fc4", "#c2a01c", "#d1446c"};

std::string escaped(const std::string& s) {
  std::string out;
  for (char c : s) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

std::string base64(const std::string& bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t v = 0;
    for (size_t k = 0; k < 3; ++k) v = v << 8 | (i + k < bytes.size() ? uint8_t(bytes[i + k]) : 0u);
    for (int k = 0; k < 4; ++k) out += i + k <= bytes.size() ? digits[v >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string short_number(double v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, std::abs(v) < 1e4 ? "%.4g" : "%.3g", v);
  return buffer;
}

// 20000 -> "20k"
std::string tick_label(double v) {
  if (std::abs(v) >= 1e7) return short_number(v / 1e6) + "M";
  if (std::abs(v) >= 1e4) return short_number(v / 1e3) + "k";
  return short_number(v);
}

// A round step that cuts `range` into about `wanted` parts.
double tick_step(double range, int wanted) {
  const double raw = range / wanted, power = std::pow(10, std::floor(std::log10(raw)));
  for (double m : {1.0, 2.0, 5.0})
    if (m * power >= raw) return m * power;
  return 10 * power;
}

struct Axis {
  double low = INFINITY, high = -INFINITY;
  bool log = false, whole = false;
  void include(double v) {
    if (!std::isfinite(v) || (log && v <= 0)) return;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  void settle() {
    if (!(low <= high)) low = log ? 0.1 : 0, high = 1;
    if (low == high) high = low + (log ? low : std::max(1e-9, std::abs(low) * 0.1));
  }
  double fraction(double v) const {
    return log ? std::log(v / low) / std::log(high / low) : (v - low) / (high - low);
  }
  std::vector<double> ticks() const {
    std::vector<double> out;
    if (log) {
      for (double p = std::pow(10, std::floor(std::log10(low))); p <= high; p *= 10)
        for (double m : {1.0, 2.0, 5.0})
          if (m * p >= low && m * p <= high) out.push_back(m * p);
      if (out.size() >= 2) return out;
      out.clear();
    }
    const double step = std::max(tick_step(high - low, 5), whole ? 1.0 : 0.0);
    for (double v = std::ceil(low / step) * step; v <= high + 1e-9 * step; v += step)
      out.push_back(std::abs(v) < 1e-9 * step ? 0 : v);
    return out;
  }
};

// What the log says, by name: "loss" -> curve over images.
std::map<std::string, Curve> curves_of(const std::vector<LogRow>& rows, const std::string& kind) {
  std::map<std::string, Curve> curves;
  for (const LogRow& row : rows) {
    if (row.kind != kind) continue;
    const auto images = row.values.find("images");
    if (images == row.values.end()) continue;
    for (const auto& [name, value] : row.values) {
      if (name == "images") continue;
      curves[name].name = name;
      curves[name].points.push_back({images->second, value});
    }
  }
  return curves;
}

std::string metrics_table(const std::vector<LogRow>& rows) {
  std::set<std::string> names;
  for (const LogRow& row : rows)
    if (row.kind == "evaluation")
      for (const auto& [name, value] : row.values)
        if (name != "images") names.insert(name);
  if (names.empty()) return "<p class=note>No evaluation yet.</p>";
  std::string out = "<table><tr><th>step</th><th>images</th>";
  for (const auto& name : names) out += "<th>" + escaped(name) + "</th>";
  out += "</tr>\n";
  for (const LogRow& row : rows) {
    if (row.kind != "evaluation") continue;
    out += text("<tr><td>", row.step, "</td><td>", int64_t(row.values.at("images")), "</td>");
    for (const auto& name : names) {
      const auto it = row.values.find(name);
      out += "<td>" + (it == row.values.end() ? "" : short_number(it->second)) + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

// What the last evaluation warns of.
std::string warnings(const std::vector<LogRow>& rows) {
  std::string out;
  for (const LogRow& row : rows) {
    if (row.kind != "evaluation") continue;
    out.clear();
    for (const std::string& warning : row.warnings)
      out += "<p class=warning>" + escaped(warning) + "</p>\n";
  }
  return out;
}

// The newest picture of each name, and the first one beside it: "corners-500.png".
std::string samples(const fs::path& dir) {
  std::map<std::string, std::map<int64_t, fs::path>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored)) {
    const std::string stem = entry.path().stem().string();
    const size_t dash = stem.rfind('-');
    if (entry.path().extension() == ".png" && dash != std::string::npos)
      found[stem.substr(0, dash)][std::atoll(stem.c_str() + dash + 1)] = entry.path();
  }
  std::string out;
  const auto figure = [&](const std::string& name, int64_t step, const fs::path& path) {
    out += text("<figure><img alt=\"", escaped(name), "\" src=\"data:image/png;base64,",
                base64(read_file(path)), "\"><figcaption>", escaped(name), ", step ", step,
                "</figcaption></figure>\n");
  };
  for (const auto& [name, by_step] : found) {
    figure(name, by_step.rbegin()->first, by_step.rbegin()->second);
    if (by_step.size() > 1) figure(name, by_step.begin()->first, by_step.begin()->second);
  }
  return out;
}

}  // namespace

std::string svg_chart(const std::string& title, const std::string& x_label,
                      const std::vector<Curve>& curves, bool log_y) {
  const double left = 56, right = 470, top = 30, bottom = 230;
  Axis x, y;
  y.log = log_y;
  x.whole = true;  // images are
  for (const Curve& c : curves)
    for (const auto& [px, py] : c.points) {
      x.include(px);
      y.include(py);
    }
  x.settle();
  y.settle();
  const auto at_x = [&](double v) { return left + (right - left) * x.fraction(v); };
  const auto at_y = [&](double v) { return bottom - (bottom - top) * y.fraction(v); };

  std::ostringstream svg;
  svg << "<svg viewBox=\"0 0 490 290\" role=img aria-label=\"" << escaped(title) << "\">";
  svg << "<text x=" << left << " y=16 font-weight=600>" << escaped(title) << "</text>";
  for (double v : y.ticks())
    svg << "<line class=axis x1=" << left << " x2=" << right << " y1=" << at_y(v)
        << " y2=" << at_y(v) << " /><text class=soft text-anchor=end x=" << left - 6
        << " y=" << at_y(v) + 4 << ">" << tick_label(v) << "</text>";
  for (double v : x.ticks())
    svg << "<text class=soft text-anchor=middle x=" << at_x(v) << " y=" << bottom + 16 << ">"
        << tick_label(v) << "</text>";
  svg << "<text class=soft text-anchor=end x=" << right << " y=" << bottom + 34 << ">"
      << escaped(x_label) << "</text>";
  double legend = left;
  for (size_t i = 0; i < curves.size(); ++i) {
    const char* colour = colours[i % std::size(colours)];
    svg << "<polyline fill=none stroke-width=1.8 stroke=\"" << colour << "\" points=\"";
    for (const auto& [px, py] : curves[i].points)
      if (std::isfinite(py) && (!log_y || py > 0)) svg << at_x(px) << "," << at_y(py) << " ";
    svg << "\"/>";
    if (curves[i].points.size() == 1)
      svg << "<circle r=3 fill=\"" << colour << "\" cx=" << at_x(curves[i].points[0].first)
          << " cy=" << at_y(curves[i].points[0].second) << " />";
    svg << "<rect width=10 height=3 fill=\"" << colour << "\" x=" << legend << " y=" << bottom + 46
        << " /><text x=" << legend + 14 << " y=" << bottom + 51 << ">" << escaped(curves[i].name)
        << "</text>";
    legend += 30 + 6.4 * double(curves[i].name.size());
  }
  svg << "</svg>\n";
  return svg.str();
}

namespace {

// Curves of one family share a chart: metrics with a first word in common ("ap_clean", "ap_noisy"),
// and all cosines, as the gap between them is what tells how descriptors do. Legends leave out the
// first word, which the title has; one that is alone keeps its name ("warp_error").
std::string family_charts(const std::map<std::string, Curve>& curves,
                          const std::string& title_end) {
  const std::string cosine = "_cosine";
  std::map<std::string, std::vector<Curve>> families;
  for (const auto& [name, curve] : curves) {
    const bool is_cosine = name.size() > cosine.size() &&
                           name.compare(name.size() - cosine.size(), cosine.size(), cosine) == 0;
    families[is_cosine ? "cosine" : name.substr(0, name.find('_'))].push_back(curve);
  }
  std::string charts;
  for (auto& [family, members] : families) {
    const bool alone = members.size() == 1 && family != "cosine";
    const std::string title = alone ? members[0].name : family;
    for (Curve& c : members)
      if (!alone && c.name.starts_with(family + "_")) c.name.erase(0, family.size() + 1);
    charts += svg_chart(title + title_end, "images seen", members, false);
  }
  return charts;
}

Curve taken(std::map<std::string, Curve>& curves, const std::string& name) {
  const auto node = curves.extract(name);
  return node ? node.mapped() : Curve{name, {}};
}

}  // namespace

void write_run_report(const std::string& dir) {
  const std::vector<LogRow> rows = read_log(dir + "/log.jsonl");
  auto steps = curves_of(rows, "step");
  const std::string loss = svg_chart("training loss", "images seen", {taken(steps, "loss")}, true),
                    machine =
                        svg_chart("gradient norm", "images seen", {taken(steps, "gradient_norm")},
                                  true) +
                        svg_chart("learning rate", "images seen", {taken(steps, "lr")}, false) +
                        svg_chart("images per second", "images seen",
                                  {taken(steps, "images_per_s")}, false);
  // What is left of a step's row are the terms of the loss.
  const std::string charts = loss + family_charts(steps, "") +
                             family_charts(curves_of(rows, "evaluation"), ", evaluated") + machine;

  const std::string name = fs::path(dir).filename().string();
  write_file(dir + "/report.html",
             text("<!doctype html>\n<html lang=en><meta charset=utf-8><meta name=viewport "
                  "content=\"width=device-width\">\n<title>",
                  escaped(name), "</title>\n<style>", style, "</style>\n<h1>", escaped(name),
                  "</h1>\n<p class=note>", rows.empty() ? 0 : rows.back().step,
                  " steps. Written by cairn train.</p>\n", warnings(rows),
                  "<h2>Curves</h2>\n<div class=charts>", charts, "</div>\n<h2>Evaluations</h2>\n",
                  metrics_table(rows), "<h2>Samples</h2>\n", samples(fs::path(dir) / "samples"),
                  "<h2>Configuration</h2>\n<pre>", escaped(read_file(dir + "/config.toml")),
                  "</pre>\n</html>\n"));
}

}  // namespace cairn
