#include "training/pair_evaluation.h"

#include <algorithm>

#include "runtime/threads.h"
#include "training/grey_image.h"

namespace cairn {
namespace {

// Pairs first .. first + count - 1, drawn on all threads.
std::vector<ImagePair> drawn(const TextureOptions& textures, PairLevel level, int64_t first,
                             int64_t count) {
  std::vector<ImagePair> pairs(static_cast<size_t>(count));
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      pairs[size_t(i)] = synthetic_pair(textures, level, first + i);
  });
  return pairs;
}

}  // namespace

HomographyEvaluation evaluate_pairs(const KeypointMethod& method, const TextureOptions& textures,
                                    const std::vector<PairLevel>& levels, int64_t pairs,
                                    const HomographyProtocol& protocol,
                                    HomographyEstimator estimator,
                                    const std::function<void(const std::string& level)>& report) {
  HomographyEvaluation result;
  const int64_t part = 4 * thread_count();
  for (PairLevel level : levels) {
    std::vector<HomographyScores> scores;
    for (int64_t first = 0; first < pairs; first += part)
      for (const ImagePair& pair : drawn(textures, level, first, std::min(part, pairs - first))) {
        const auto points = [&](const Tensor& image) {
          return features(method, with_channels(image, method.channels), protocol);
        };
        scores.push_back(score_pair(points(pair.first), points(pair.second), pair.first_to_second,
                                    protocol, estimator));
        report(name(level));
      }
    result.sequences.emplace_back(name(level), std::move(scores));
  }
  return result;
}

}  // namespace cairn
