#pragma once
// A network that finds the keypoints of many images. On simt and cuda its work for a size of images
// is captured as a graph (runtime/graph.h) when a second batch of that size comes, and then
// repeated without the host: the same launches on the same addresses, so the same bits. What the
// keypoints follow from comes back in one go.
//
// An image in which too few points are found (DetectOptions::least) is looked at a second time,
// eagerly. A graph always has the same launches, so it cannot take a lower threshold when need be.
//
// Batches of a new size, DetectOptions::flip (which looks at the mirror image on the host), batches
// that a profile records (a graph has no modules to show), and all batches on cpu run eagerly. A
// graph has memory of its own; of more than four sizes those before are forgotten, and what comes
// after the first four takes the algorithms that are known or that its shapes suggest.
#include <map>
#include <memory>
#include <vector>

#include "layers/prepared_weights.h"
#include "models/model.h"
#include "runtime/graph.h"
#include "runtime/host_staging.h"

namespace cairn {

/// Where and in which type (f32 or bf16) a network computes.
struct InferencePlace {
  Device device = Device::cpu;
  DType precision = DType::f32;
};

class Detector {
 public:
  /// `model` lies on the place, outlives the detector, and its weights stay as they are meanwhile.
  explicit Detector(Model& model, const DetectOptions& options = {},
                    const InferencePlace& place = {})
      : model_(model), options_(options), place_(place) {}

  /// As Model::detect() and DetectOptions::least say, of a batch [N,H,W,C] of the place's type,
  /// there or on cpu.
  std::vector<Keypoints> detect(const Tensor& batch);

  bool captured(const Shape& batch) const;  ///< whether batches of this shape replay
  Model& model() const { return model_; }
  const DetectOptions& options() const { return options_; }
  const InferencePlace& place() const { return place_; }

 private:
  struct Captured {
    Tensor batch;  // what the graph reads
    std::vector<Tensor> found;
    HostReading reading;
    std::unique_ptr<Graph> graph;
  };
  using Key = std::vector<int64_t>;
  static Key key(const Shape& s) { return {s.begin(), s.end()}; }
  bool captures() const;
  std::vector<Keypoints> above_threshold(const Tensor& batch);

  Model& model_;
  const DetectOptions options_;
  const InferencePlace place_;
  InferenceWeights weights_;
  HostStaging staging_;
  std::map<Key, Captured> sizes_;
  size_t sizes_met_ = 0;
};

}  // namespace cairn
