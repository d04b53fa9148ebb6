#pragma once
// What training, replay and the program need of a system. One file pair models/NAME.{h,cpp} per
// system, which defines make_NAME(); the list of systems is generated from the file names.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/points/refine_point.h"
#include "layers/module.h"
#include "models/keypoints.h"
#include "models/skeleton.h"

namespace cairn {

class Codec;
struct CropRule;

/// Named tensors of one batch: "image" [N,H,W,C] in [0,1], and what the loss needs.
using Batch = std::map<std::string, Tensor>;

/// What a batch costs.
struct Loss {
  Var total;  ///< one element: what training minimises
  /// Its parts, and other quantities worth a curve, of one element each. They stay on the device:
  /// reading one waits for it.
  std::map<std::string, Tensor> terms = {};
};

/// A system's options as text, as they stand in recipes and in the metadata of weight files.
using Options = std::map<std::string, std::string>;

/// How a heatmap becomes points.
/// DetectOptions::least where images are to be matched. Of 500 pairs in two lights, 23 have images
/// so dark that fewer than 20 points reach the usual threshold.
constexpr int least_to_match = 128;
constexpr double faint_score = 0.0003;

struct DetectOptions {
  double threshold = 0.015;  ///< least score; for SuperPoint 1/65 is the uniform probability
  int nms_radius = 4;        ///< greedy suppression, Chebyshev distance in pixels
  int border = 4;            ///< points nearer to the image's edge are dropped
  int top_k = 1000;          ///< 0: all
  /// Of an image with fewer points, so many of the best ones that a score of `faint_score` leaves;
  /// of networks that find any number of points (`Detector` alone does this).
  int least = 0;
  Refinement refinement = Refinement::none;  ///< to a fraction of a pixel
  bool flip = false;  ///< networks of named points: averaged with the answer for the mirror image
  int stacks = 0;     ///< stacked networks: the answer of so many stacks; 0: of all
};

class Model : public Module {
 public:
  virtual std::string architecture() const = 0;  ///< the name that make_model() takes
  virtual Options options() const = 0;           ///< complete: make_model(architecture, options)

  virtual int channels() const = 0;       ///< of the input image: 1 grey, 3 RGB
  virtual int size_multiple() const = 0;  ///< image sides must be multiples of this

  /// Whether loss(), raw_outputs() and detect() take images of this type on this device:
  /// activations, and in training their gradients, have it too (on cpu nothing trains in bf16).
  /// Beside bf16 the parameters stay float32, and so do their gradients, batch statistics and
  /// losses.
  virtual bool computes_in(DType type, Device) const {
    return type == DType::f32 || type == DType::f64;
  }

  /// Of a network of named points: how it says where they are (models/codecs/codec.h), which is
  /// also what makes its targets; and how they are called. Null for others.
  virtual const Codec* codec() const { return nullptr; }
  virtual const Skeleton* skeleton() const { return nullptr; }
  /// And what it sees of an image.
  virtual const CropRule* crop_rule() const { return nullptr; }

  /// What loss() reads for a batch of images of this size; for a network that learns from pairs, of
  /// so many pairs.
  struct InputSpec {
    Shape shape;
    DType dtype;
    double limit;                  ///< values lie in [0, limit)
    std::vector<double> row = {};  ///< or, unless empty, each row is like this one
  };
  virtual std::map<std::string, InputSpec> loss_inputs(int64_t batch, int64_t height,
                                                       int64_t width) const = 0;
  /// Sets the options of the loss, as they stand in a recipe under [loss]; the others get their
  /// defaults. They are no part of options(): a trained network does not need them. A UsageError
  /// names what is unknown or out of range; here, any option.
  virtual void set_loss_options(const Options& options);
  /// The training loss.
  virtual Loss loss(Tape& tape, const Batch& batch) = 0;
  /// Everything the network returns, by name, for `--raw` and for comparisons.
  virtual std::map<std::string, Tensor> raw_outputs(const Tensor& image) = 0;
  /// Keypoints of every image of a batch [N,H,W,C]; of a network of named points, one for each name
  /// in their order. For many images see models/detector.h.
  std::vector<Keypoints> detect(const Tensor& image, const DetectOptions& options);
  /// Its first part: what the keypoints follow from, on the device of the batch. Unless
  /// options.flip, it reads nothing back, so that it can be captured (runtime/graph.h).
  virtual std::vector<Tensor> detect_on_device(const Tensor& image,
                                               const DetectOptions& options) = 0;
  /// Its second part: the keypoints in that, which has come to the cpu. `image`: the batch's shape.
  virtual std::vector<Keypoints> keypoints_from(const std::vector<Tensor>& found,
                                                const Shape& image) const = 0;
};

/// A system by name: "superpoint", "stacked_hourglass"; "superpoint-mnv2" is the variant mnv2 of
/// it. An unknown name, option or value is a UsageError that lists what there is.
std::unique_ptr<Model> make_model(const std::string& architecture, const Options& options = {});
std::vector<std::string> model_names();

/// Throws a UsageError if the model does not compute in this type on this device.
void require_computing_in(DType type, Device device, const Model& model);

/// As OptionReader::reals() takes them; every digit that tells them from others.
std::string number_list(const std::vector<double>& numbers);

/// Reads options with defaults and checks that none is left over.
class OptionReader {
 public:
  OptionReader(std::string system, const Options& options)
      : system_(std::move(system)), left_(options) {}
  int integer(const std::string& key, int fallback, int low, int high);
  double real(const std::string& key, double fallback, double low, double high);
  /// Up to 16 of them, with commas: "1,0.7,0.5".
  std::vector<double> reals(const std::string& key, const std::vector<double>& fallback, double low,
                            double high);
  bool boolean(const std::string& key, bool fallback);
  /// One of `choices`; the first is the default.
  std::string choice(const std::string& key, const std::vector<std::string>& choices);
  /// Its place among `choices`.
  size_t index(const std::string& key, const std::vector<std::string>& choices);
  std::string string(const std::string& key, const std::string& fallback);
  /// Throws a UsageError that names the options nobody asked for, with the known ones.
  void finish() const;

 private:
  const std::string* take(const std::string& key);
  std::string system_;
  Options left_, taken_;
  std::vector<std::string> known_;
};

}  // namespace cairn
