// Points in comma-separated values.
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>

#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "training/keypoint_readers/formats.h"

namespace cairn {
namespace {

// The fields of a line, without spaces around them; quotes protect commas.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields{""};
  bool quoted = false;
  for (char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  for (std::string& f : fields) {
    const size_t first = f.find_first_not_of(" \t\r"), last = f.find_last_not_of(" \t\r");
    f = first == std::string::npos ? "" : f.substr(first, last - first + 1);
  }
  return fields;
}

std::optional<double> number(const std::string& field) {
  double v = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), v);
  const bool whole = error == std::errc() && end == field.data() + field.size();
  return whole && std::isfinite(v) ? std::optional(v) : std::nullopt;
}

bool not_given(const std::string& field) {
  return field.empty() || field == "nan" || field == "NaN" || field == "NA";
}

class CsvReader {
 public:
  explicit CsvReader(const std::string& path) { scanned_.data.source = path; }

  ScannedDataset read() {
    std::string contents = read_file(scanned_.data.source);
    if (contents.starts_with("\xef\xbb\xbf")) contents.erase(0, 3);  // a byte order mark
    std::istringstream lines(contents);
    std::string line;
    std::getline(lines, line);
    read_header(fields_of(line));
    read_names();
    for (line_ = 2; std::getline(lines, line); ++line_)
      if (const auto fields = fields_of(line); fields.size() > 1 || !fields[0].empty())
        read_row(fields);
    if (!has_two_) see_ones();
    return std::move(scanned_);
  }

 private:
  void add(Problem kind, const std::string& what) {
    scanned_.problems.add(kind, text("line ", line_, what));
    good_ = false;
  }

  // Finds the first column of every keypoint.
  void read_header(const std::vector<std::string>& header) {
    columns_ = header.size();
    std::string wrong;
    if (header[0] != "file") wrong = text("the first column is '", header[0].substr(0, 60), "'");
    for (size_t i = 1; i < header.size() && wrong.empty();) {
      const std::string& x = header[i];
      const std::string name = x.ends_with("_x") ? x.substr(0, x.size() - 2) : "";
      const auto is = [&](size_t at, const char* end) {
        return at < header.size() && header[at] == name + end;
      };
      if (name.empty() || !is(i + 1, "_y")) {
        wrong = text("column ", i + 1, " is '", x.substr(0, 60), "'");
      } else {
        const bool flagged = is(i + 2, "_v");
        points_.push_back({i, flagged});
        scanned_.data.skeleton.names.push_back(name);
        i += flagged ? 3 : 2;
      }
    }
    if (wrong.empty() && points_.empty()) wrong = "there is no keypoint";
    if (!wrong.empty())
      throw Error(scanned_.data.source, "another schema: " + wrong,
                  "a header file,NAME_x,NAME_y,NAME_v,... with commas",
                  "docs/your_own_images.md shows a file");
  }

  void read_names() {
    Skeleton& s = scanned_.data.skeleton;
    if (const auto beside = read_keypoints_txt(scanned_.data.source, scanned_.problems)) {
      if (beside->names == s.names)
        s = *beside;
      else
        scanned_.problems.add(Problem::keypoints_txt,
                              text("it names ", beside->keypoints(), " keypoints, the header ",
                                   s.keypoints(), " or others"));
    }
    check_skeleton(s, scanned_.problems);
  }

  void read_row(const std::vector<std::string>& fields) {
    good_ = true;
    if (fields.size() != columns_)
      return add(Problem::keypoint_count,
                 text(": ", fields.size(), " fields under a header of ", columns_));
    if (fields[0].empty()) add(Problem::bad_entry, ": no file");
    Instance instance;
    instance.id = line_;
    for (size_t k = 0; k < points_.size(); ++k)
      instance.points.push_back(read_point(
          fields, points_[k],
          text(" (", fields[0], "), keypoint ", k, " (", scanned_.data.skeleton.names[k], ")")));
    complete(instance);
    if (!good_) return;
    AnnotatedImage& of = image(fields[0]);
    if (instance.area > 0) of.instances.push_back(std::move(instance));
  }

  struct Columns {
    size_t x;  // then y
    bool flagged;
  };

  LabelledPoint read_point(const std::vector<std::string>& fields, Columns at,
                           const std::string& place) {
    const std::string &x = fields[at.x], &y = fields[at.x + 1];
    Visibility v = Visibility::visible;
    if (at.flagged) {
      const std::optional<double> flag = number(fields[at.x + 2]);
      if (!flag || (*flag != 0 && *flag != 1 && *flag != 2)) {
        add(Problem::bad_visibility, text(place, ": v is '", fields[at.x + 2], "'"));
        return {};
      }
      v = Visibility(int(*flag));
      has_two_ = has_two_ || *flag == 2;
    } else if (not_given(x) && not_given(y)) {
      v = Visibility::missing;
    }
    if (v == Visibility::missing) return {};
    if (!number(x)) add(Problem::bad_coordinate, text(place, ": x is '", x, "'"));
    if (!number(y)) add(Problem::bad_coordinate, text(place, ": y is '", y, "'"));
    return {number(x).value_or(0), number(y).value_or(0), v};
  }

  AnnotatedImage& image(const std::string& name) {
    auto& images = scanned_.data.images;
    const auto [it, is_new] = index_.emplace(name, images.size());
    if (is_new) images.push_back({int64_t(images.size()) + 1, name, 0, 0, {}});
    return images[it->second];
  }

  // Files that tell labelled from missing alone write 1 for what is there.
  void see_ones() {
    for (AnnotatedImage& i : scanned_.data.images)
      for (Instance& instance : i.instances)
        for (LabelledPoint& p : instance.points)
          if (p.v == Visibility::hidden) p.v = Visibility::visible;
  }

  ScannedDataset scanned_;
  std::vector<Columns> points_;
  std::map<std::string, size_t> index_;
  size_t columns_ = 0;
  int line_ = 1;
  bool has_two_ = false, good_ = true;
};

}  // namespace

ScannedDataset scan_csv(const std::string& path) { return CsvReader(path).read(); }

}  // namespace cairn
