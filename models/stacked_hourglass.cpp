#include "models/stacked_hourglass.h"

#include "layers/functions_elementwise.h"
#include "layers/functions_loss.h"
#include "layers/functions_pool.h"
#include "runtime/error.h"

namespace cairn {

// 7x7 stride 2, three residuals and a pool: a quarter of the input size.
struct StackedHourglass::Stem : Module {
  Conv2d conv{3, 64, 7, {.stride = 2, .padding = 3, .dilation = 1, .groups = 1}};
  BatchNorm2d bn{64};
  Residual res1{64, 128}, res2{128, 128}, res3;

  explicit Stem(int features) : res3(128, features) {}
  void visit(Visitor& v) override {
    v("0.conv", conv);
    v("0.bn", bn);
    v("1", res1);
    v("3", res2);
    v("4", res3);
  }
  Var operator()(const Var& image) {
    return res3(res2(max_pool(res1(bn(conv(image), Activation::relu)), 2, 2)));
  }
};

// One hourglass, the block behind it, its heatmaps, and (but for the last) the way back to the
// trunk.
struct StackedHourglass::Stack {
  Hourglass hourglass;
  Residual residual;
  Conv2d linear;
  BatchNorm2d bn;
  Conv2d heatmaps;
  std::unique_ptr<Conv2d> merge_features, merge_heatmaps;

  Stack(const StackedHourglassOptions& o, bool last)
      : hourglass(o.depth, o.features),
        residual(o.features, o.features),
        linear(o.features, o.features, 1),
        bn(o.features),
        heatmaps(o.features, o.joints, 1),
        merge_features(last ? nullptr : std::make_unique<Conv2d>(o.features, o.features, 1)),
        merge_heatmaps(last ? nullptr : std::make_unique<Conv2d>(o.joints, o.features, 1)) {}
};

StackedHourglass::StackedHourglass(const StackedHourglassOptions& options) : options_(options) {
  if (options.stacks < 1 || options.features < 2 || options.features % 2 || options.joints < 1 ||
      options.depth < 1)
    throw Error("stacked_hourglass",
                text("stacks ", options.stacks, ", features ", options.features, ", joints ",
                     options.joints, ", depth ", options.depth),
                "1 or more of each, and an even number of features", "correct the options");
  stem_ = std::make_unique<Stem>(options.features);
  for (int s = 0; s < options.stacks; ++s)
    stacks_.push_back(std::make_unique<Stack>(options, s + 1 == options.stacks));
}

StackedHourglass::~StackedHourglass() = default;

void StackedHourglass::visit(Visitor& v) {
  v("pre", *stem_);
  for (size_t i = 0; i < stacks_.size(); ++i) {
    Stack& s = *stacks_[i];
    const std::string n = std::to_string(i);
    v("hgs." + n + ".0", s.hourglass);
    v("features." + n + ".0", s.residual);
    v("features." + n + ".1.conv", s.linear);
    v("features." + n + ".1.bn", s.bn);
    v("outs." + n + ".conv", s.heatmaps);
    if (s.merge_features) v("merge_features." + n + ".conv.conv", *s.merge_features);
    if (s.merge_heatmaps) v("merge_preds." + n + ".conv.conv", *s.merge_heatmaps);
  }
}

std::vector<Var> StackedHourglass::forward(const Var& image) {
  const Shape& shape = image.shape();
  const int multiple = 4 << options_.depth;
  if (shape.rank() != 4 || shape[3] != 3 || shape[1] % multiple || shape[2] % multiple ||
      shape[1] == 0 || shape[2] == 0)
    throw Error("stacked_hourglass", text("the image has shape ", shape),
                text("[N,H,W,3] with H and W multiples of ", multiple), "pad or resize the image");
  Var x = (*stem_)(image);
  std::vector<Var> outputs;
  for (auto& stack : stacks_) {
    Stack& s = *stack;
    const Var y = s.bn(s.linear(s.residual(s.hourglass(x))), Activation::relu);
    const Var heatmaps = s.heatmaps(y);
    outputs.push_back(heatmaps);
    if (s.merge_features) x = add(x, add((*s.merge_features)(y), (*s.merge_heatmaps)(heatmaps)));
  }
  return outputs;
}

Options StackedHourglass::options() const {
  return {{"stacks", std::to_string(options_.stacks)},
          {"features", std::to_string(options_.features)},
          {"joints", std::to_string(options_.joints)},
          {"depth", std::to_string(options_.depth)}};
}

std::unique_ptr<Model> make_stacked_hourglass(const Options& options) {
  OptionReader read("stacked_hourglass", options);
  StackedHourglassOptions o;
  o.stacks = read.integer("stacks", o.stacks, 1, 64);
  o.features = read.integer("features", o.features, 2, 4096);
  o.joints = read.integer("joints", o.joints, 1, 4096);
  o.depth = read.integer("depth", o.depth, 1, 8);
  read.finish();
  return std::make_unique<StackedHourglass>(o);
}

std::map<std::string, Model::InputSpec> StackedHourglass::loss_inputs(int64_t batch, int64_t height,
                                                                      int64_t width) const {
  return {{"image", {{batch, height, width, channels()}, DType::f32, 1}},
          {"heatmaps", {{batch, height / 4, width / 4, options_.joints}, DType::f32, 1}}};
}

Loss StackedHourglass::loss(Tape& tape, const Batch& batch) {
  const std::vector<Var> heatmaps = forward(tape.constant(batch.at("image")));
  const Var target = tape.constant(batch.at("heatmaps"));
  Var sum;
  for (const Var& h : heatmaps) {
    const Var part = mse(h, target);
    sum = sum.defined() ? add(sum, part) : part;
  }
  return {sum};
}

std::map<std::string, Tensor> StackedHourglass::raw_outputs(const Tensor& image) {
  Tape tape(false);
  return {{"heatmaps", forward(tape.constant(image)).back().value()}};
}

std::vector<Keypoints> StackedHourglass::detect(const Tensor& image, const DetectOptions&) {
  const Tensor maps = raw_outputs(image).at("heatmaps").to(Device::cpu);
  const int64_t h = maps.dim(1), w = maps.dim(2), joints = maps.dim(3);
  std::vector<Keypoints> found(maps.dim(0));
  for (int64_t n = 0; n < maps.dim(0); ++n) {
    const float* map = maps.data<float>() + n * h * w * joints;
    for (int64_t k = 0; k < joints; ++k) {
      int64_t best = 0;
      for (int64_t cell = 1; cell < h * w; ++cell)
        if (map[cell * joints + k] > map[best * joints + k]) best = cell;
      // Cell j of a stride-4 map lies at pixel (j + 0.5) 4 - 0.5.
      const int64_t row = best / w, column = best % w;
      found[n].points.push_back({float(column) * 4 + 1.5f, float(row) * 4 + 1.5f});
      found[n].scores.push_back(map[best * joints + k]);
    }
  }
  return found;
}

}  // namespace cairn
