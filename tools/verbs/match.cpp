// cairn match: which keypoints of two images belong together, and the homography between them.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>

#include "models/image_detection.h"
#include "models/matching.h"
#include "runtime/error.h"
#include "runtime/image.h"
#include "tools/detect_options.h"
#include "tools/profile_option.h"
#include "training/draw_matches.h"
#include "training/homography_estimator.h"

namespace cairn {
namespace {

struct MatchArguments : DetectorArguments {
  std::string images[2], out, profile;
  MatchOptions match;
  RansacOptions ransac;
  HomographyEstimator estimator = HomographyEstimator::ransac;
  bool json = false, verbose = false;
};

struct Matched {
  Keypoints keypoints[2];
  std::vector<Match> matches;
  std::vector<MatchLine> lines;  // one per match
  RobustHomography found;
  int by_chance = 0;  // matches that agreed on a homography, but no more than wrong ones would
};

Keypoints describe_image(Detector& detector, const std::string& path, const MatchArguments& o) {
  const ProfileRange range(Work::host, "keypoints");
  Keypoints k = detect_keypoints(detector, read_image(path, detector.model().channels()));
  if (k.descriptor_size == 0)
    throw UsageError("--model", o.model + " finds points but does not describe them",
                     "a network with a descriptor head, such as superpoint",
                     "train or choose another model; `cairn info` says what a file holds");
  return k;
}

void find_homography(const MatchArguments& o, Matched& m) {
  const ProfileRange range(Work::host, "homography");
  std::vector<Point> from, to;
  for (const Match& match : m.matches) {
    const auto &p = m.keypoints[0].points[match.a], &q = m.keypoints[1].points[match.b];
    from.push_back({p[0], p[1]});
    to.push_back({q[0], q[1]});
  }
  m.found = estimate_homography(o.estimator, from, to, o.ransac);
  const ImageInfo second = read_image_info(o.images[1]);
  const int count = int(from.size()), agree = m.found.inlier_count();
  if (m.found.homography &&
      homographies_by_chance(count, agree, o.ransac.threshold,
                             double(second.width) * double(second.height)) >= 1) {
    m.by_chance = agree;
    m.found.homography.reset();
    std::fill(m.found.inliers.begin(), m.found.inliers.end(), uint8_t{0});
  }
  for (size_t i = 0; i < from.size(); ++i)
    m.lines.push_back({from[i], to[i], m.found.inliers[i] != 0});
}

std::string verdict(const MatchArguments& o, const Matched& m) {
  const size_t count = m.matches.size();
  if (m.found.homography)
    return text("homography: ", m.found.inlier_count(), " of ", count, " matches agree to ",
                o.ransac.threshold, " px (", name(o.estimator), ")");
  if (count < 4)
    return text("no homography: ", count, count == 1 ? " match" : " matches", ", 4 needed");
  if (m.by_chance)
    return text("no homography: ", m.by_chance, " of ", count, " matches agree to ",
                o.ransac.threshold, " px, as many as chance brings together");
  return text("no homography: no 4 of ", count, " matches agree on one");
}

Json to_json(const MatchArguments& o, const Matched& m) {
  const auto rounded = [](double v) { return std::round(v * 1e6) / 1e6; };
  Json j{{"images", {o.images[0], o.images[1]}},
         {"keypoints", {m.keypoints[0].points.size(), m.keypoints[1].points.size()}},
         {"matches", Json::array()},
         {"homography", nullptr},
         {"inliers", m.found.inlier_count()},
         {"inlier_flags", m.found.inliers},
         {"estimator", name(o.estimator)}};
  for (size_t i = 0; i < m.lines.size(); ++i) {
    const MatchLine& l = m.lines[i];
    j["matches"].push_back({rounded(l.from.x), rounded(l.from.y), rounded(l.to.x), rounded(l.to.y),
                            rounded(m.matches[i].score)});
  }
  if (m.found.homography) {
    j["homography"] = Json::array();
    const Matrix3& h = *m.found.homography;
    for (int row = 0; row < 3; ++row) j["homography"].push_back({h(row, 0), h(row, 1), h(row, 2)});
  }
  return j;
}

// What the time went into, for --verbose.
class Stopwatch {
 public:
  explicit Stopwatch(bool on) : on_(on) {}
  void lap(const char* what) {
    const auto now = std::chrono::steady_clock::now();
    const double ms = std::chrono::duration<double, std::milli>(now - last_).count();
    if (on_) std::cerr << what << ' ' << std::round(10 * ms) / 10 << " ms\n";
    last_ = std::chrono::steady_clock::now();
  }

 private:
  bool on_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

Matched matched(const MatchArguments& o) {
  Stopwatch watch(o.verbose);
  const LoadedModel loaded = load_detector(o);
  Detector detector(*loaded.model, o.detect, o.place);
  watch.lap("model");
  Matched m;
  for (int i = 0; i < 2; ++i) {
    m.keypoints[i] = describe_image(detector, o.images[i], o);
    watch.lap("keypoints");
  }
  m.matches = match_keypoints(m.keypoints[0], m.keypoints[1], o.match, o.place.device);
  watch.lap("matches");
  find_homography(o, m);
  watch.lap("homography");
  return m;
}

void draw(const MatchArguments& o, const Matched& m) {
  const ProfileRange range(Work::host, "write files");
  write_png(o.out, draw_matches(read_image(o.images[0], 3), read_image(o.images[1], 3), m.lines,
                                m.found.homography));
}

void match(const MatchArguments& o) {
  const std::unique_ptr<Profile> profile = make_profile(o.profile);
  if (profile) profile->start(o.place.device);
  const Matched m = matched(o);
  if (!o.out.empty()) draw(o, m);
  if (profile) profile->finish();
  if (o.json) {
    if (!m.found.homography) std::cerr << verdict(o, m) << '\n';
    std::cout << to_json(o, m).dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  } else {
    std::cout << m.keypoints[0].points.size() << " and " << m.keypoints[1].points.size()
              << " keypoints, " << m.matches.size() << " matches\n"
              << verdict(o, m) << (o.out.empty() ? "" : ", drawn in " + o.out) << '\n';
  }
  print_profile(profile.get(), o.json);
}

void add_matching_options(CLI::App& verb, MatchArguments& o) {
  verb.add_flag_callback(
      "--no-mutual", [&o] { o.match.mutual = false; },
      "every point of A has a match, also if it is not its match's nearest");
  verb.add_option("--ratio", o.match.max_ratio,
                  "nearest / second nearest descriptor distance stays below R; off")
      ->type_name("R")
      ->check(CLI::Range(0.0, 1.0));
  verb.add_option("--max-distance", o.match.max_distance,
                  "the distance of unit descriptors (0 to 2) stays below D; off")
      ->type_name("D")
      ->check(CLI::Range(0.0, 2.0));
  verb.add_option_function<std::string>(
          "--estimator",
          [&o](const std::string& value) {
            o.estimator = parse_homography_estimator("--estimator", value);
          },
          "ransac, magsac (the threshold matters less), or usac (OpenCV's); ransac")
      ->type_name("NAME");
  verb.add_option("--ransac-threshold", o.ransac.threshold, "how far off an inlier may be; 3")
      ->type_name("PX")
      ->check(CLI::Range(0.01, 1000.0));
  verb.add_option("--ransac-iterations", o.ransac.max_iterations, "samples drawn at most; 2000")
      ->type_name("N")
      ->check(CLI::Range(1, 10000000));
  verb.add_option("--seed", o.ransac.seed, "of the samples; 0")->type_name("N");
}

}  // namespace

void add_match(CLI::App& verb) {
  describe(verb, "Match the keypoints of two images and find the homography between them",
           "cairn match a.jpg b.jpg --model superpoint.safetensors --out matches.png\n"
           "  cairn match a.jpg b.jpg --model superpoint.safetensors --json > matches.json");
  auto o = std::make_shared<MatchArguments>();
  verb.add_option("A", o->images[0], "the first image, of any size")->required()->type_name("");
  verb.add_option("B", o->images[1], "the second image")->required()->type_name("");
  add_detector_options(verb, *o);
  o->detect.least = least_to_match;
  add_least_option(verb, o->detect.least);
  verb.add_option("--out", o->out,
                  "a picture: both images, inliers in green, outliers in red, A's outline in B")
      ->type_name("FILE");
  add_matching_options(verb, *o);
  add_profile_option(verb, o->profile, "everything from loading the model on");
  add_json_option(verb, o->json);
  verb.add_flag("--verbose", o->verbose, "times on stderr");
  verb.callback([o] { match(*o); });
}

}  // namespace cairn
