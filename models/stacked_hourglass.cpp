#include "models/stacked_hourglass.h"

#include "layers/functions_elementwise.h"
#include "layers/functions_pool.h"
#include "models/codecs/maps.h"
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

  Stack(const StackedHourglassOptions& o, int channels, bool last)
      : hourglass(o.depth, o.features),
        residual(o.features, o.features),
        linear(o.features, o.features, 1),
        bn(o.features),
        heatmaps(o.features, channels, 1),
        merge_features(last ? nullptr : std::make_unique<Conv2d>(o.features, o.features, 1)),
        merge_heatmaps(last ? nullptr : std::make_unique<Conv2d>(channels, o.features, 1)) {}
};

StackedHourglass::StackedHourglass(const StackedHourglassOptions& options,
                                   std::unique_ptr<Codec> codec, const Skeleton& skeleton)
    : options_(options), codec_(std::move(codec)), skeleton_(skeleton) {
  if (options.stacks < 1 || options.features < 2 || options.features % 2 || options.joints < 1 ||
      options.depth < 1)
    throw Error("stacked_hourglass",
                text("stacks ", options.stacks, ", features ", options.features, ", joints ",
                     options.joints, ", depth ", options.depth),
                "1 or more of each, and an even number of features", "correct the options");
  if (!codec_) {
    OptionReader defaults("stacked_hourglass", {});
    codec_ = make_codec(defaults);
  }
  stem_ = std::make_unique<Stem>(options.features);
  for (int s = 0; s < options.stacks; ++s)
    stacks_.push_back(std::make_unique<Stack>(options, codec_->channels(options.joints),
                                              s + 1 == options.stacks));
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
  Options o{{"stacks", std::to_string(options_.stacks)},
            {"features", std::to_string(options_.features)},
            {"joints", std::to_string(options_.joints)},
            {"depth", std::to_string(options_.depth)}};
  o.merge(codec_->options());
  o.merge(skeleton_options(skeleton_));
  return o;
}

std::unique_ptr<Model> make_stacked_hourglass(const Options& options) {
  OptionReader read("stacked_hourglass", options);
  StackedHourglassOptions o;
  o.stacks = read.integer("stacks", o.stacks, 1, 64);
  o.features = read.integer("features", o.features, 2, 4096);
  o.joints = read.integer("joints", o.joints, 1, 4096);
  o.depth = read.integer("depth", o.depth, 1, 8);
  std::unique_ptr<Codec> codec = make_codec(read);
  const Skeleton skeleton = read_skeleton(read, o.joints);
  read.finish();
  return std::make_unique<StackedHourglass>(o, std::move(codec), skeleton);
}

std::map<std::string, Model::InputSpec> StackedHourglass::loss_inputs(int64_t batch, int64_t height,
                                                                      int64_t width) const {
  std::map<std::string, InputSpec> inputs{
      {"image", {{batch, height, width, channels()}, DType::f32, 1}}};
  const Tensor points = Tensor::zeros({batch, 1, options_.joints, 2});
  const Tensor visibility = Tensor::zeros({batch, 1, options_.joints}, DType::u8);
  for (const auto& [name, t] : codec_->encode(points, visibility, {height, width}))
    inputs[name] = {t.shape(), t.dtype(), 1};
  return inputs;
}

void StackedHourglass::set_loss_options(const Options& options) {
  OptionReader read("stacked_hourglass loss", options);
  sum_of_stacks_ = read.choice("stacks", {"mean", "sum"}) == "sum";
  read.finish();
}

Loss StackedHourglass::loss(Tape& tape, const Batch& batch) {
  const std::vector<Var> outputs = forward(tape.constant(batch.at("image")));
  Loss loss;
  for (size_t s = 0; s < outputs.size(); ++s) {
    const Var part = codec_->loss(outputs[s], batch);
    loss.terms[text("stack_", s + 1)] = part.value();
    loss.total = s == 0 ? part : add(loss.total, part);
  }
  if (!sum_of_stacks_) loss.total = scale(loss.total, 1 / double(outputs.size()));
  loss.terms["zero_loss"] = codec_->zero_loss(outputs.back().value(), batch);
  return loss;
}

Tensor StackedHourglass::predict(const Tensor& image) {
  Tape tape(false);
  return forward(tape.constant(image)).back().value();
}

std::map<std::string, Tensor> StackedHourglass::raw_outputs(const Tensor& image) {
  return {{"heatmaps", predict(image)}};
}

std::vector<Keypoints> StackedHourglass::detect(const Tensor& image, const DetectOptions& options) {
  Tensor output = predict(image);
  if (options.flip) {
    if (skeleton_.swap.empty())
      throw UsageError("flip", "the model does not know which points a mirror image exchanges",
                       "the option swap, 0,2,1 say",
                       "detect without the mirror image, or train with a skeleton that has pairs");
    std::vector<int> colours = {0, 1, 2};
    const Tensor mirror = predict(mirrored_maps(image, colours).to(image.device()));
    const Tensor answer = codec_->mirrored(mirror, skeleton_.swap).to(image.device());
    Tape tape(false);
    output = scale(add(tape.constant(output), tape.constant(answer)), 0.5).value();
  }
  return codec_->decode(output);
}

}  // namespace cairn
