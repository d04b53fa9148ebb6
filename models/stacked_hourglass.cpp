#include "models/stacked_hourglass.h"

#include <algorithm>
#include <numeric>

#include "kernels/elementwise/cast.h"
#include "layers/functions_elementwise.h"
#include "models/codecs/maps.h"
#include "models/stacked_hourglass/parts.h"
#include "runtime/error.h"

namespace cairn {
namespace {

const std::vector<std::string> block_names = {"bottleneck", "hierarchical"};
const std::vector<std::string> stem_names = {"full", "light"};

}  // namespace

StackedHourglass::StackedHourglass(const StackedHourglassOptions& o, std::unique_ptr<Codec> codec,
                                   const Skeleton& skeleton, const CropRule& crop)
    : options_(o), codec_(std::move(codec)), skeleton_(skeleton), crop_(crop) {
  const int divisor = o.block == StackedHourglassOptions::Block::hierarchical ? 4 : 2;
  if (o.stacks < 1 || o.features < divisor || o.features % divisor || o.joints < 1 || o.depth < 1 ||
      (o.channels != 1 && o.channels != 3))
    throw Error("stacked_hourglass",
                text("stacks ", o.stacks, ", features ", o.features, ", joints ", o.joints,
                     ", depth ", o.depth, ", channels ", o.channels),
                text("1 or more of each, features a multiple of ", divisor, ", 1 or 3 channels"),
                "correct the options");
  if (!codec_) {
    OptionReader defaults("stacked_hourglass", {});
    codec_ = make_codec(defaults);
  }
  stem_ = make_hourglass_stem(o);
  for (int s = 0; s < o.stacks; ++s)
    stacks_.push_back(
        std::make_unique<HourglassStack>(o, codec_->channels(o.joints), codec_->global(), s));
}

StackedHourglass::~StackedHourglass() = default;

int StackedHourglass::size_multiple() const {
  return 4 << (codec_->global() ? std::max(options_.depth, 2) : options_.depth);
}

bool StackedHourglass::computes_in(DType type, Device device) const {
  return Model::computes_in(type, device) || (type == DType::bf16 && device != Device::cpu);
}

void StackedHourglass::visit(Visitor& v) {
  stem_->visit(v);
  for (auto& stack : stacks_) stack->visit(v);
}

std::vector<Var> StackedHourglass::forward(const Var& image, int stacks) {
  const Shape& shape = image.shape();
  const int multiple = size_multiple();
  if (shape.rank() != 4 || shape[3] != channels() || shape[1] % multiple || shape[2] % multiple ||
      shape[1] == 0 || shape[2] == 0)
    throw Error("stacked_hourglass", text("the image has shape ", shape),
                text("[N,H,W,", channels(), "] with H and W multiples of ", multiple),
                "pad or resize the image, or make the network with a smaller depth");
  Var x = (*stem_)(image);
  std::vector<Var> outputs;
  for (size_t s = 0; s < (stacks ? size_t(stacks) : stacks_.size()); ++s) {
    HourglassStack::Result r = (*stacks_[s])(x);
    outputs.push_back(r.output);
    x = r.trunk;
  }
  return outputs;
}

Options StackedHourglass::options() const {
  Options o{{"stacks", std::to_string(options_.stacks)},
            {"features", std::to_string(options_.features)},
            {"joints", std::to_string(options_.joints)},
            {"depth", std::to_string(options_.depth)},
            {"channels", std::to_string(options_.channels)},
            {"block", block_names[size_t(options_.block)]},
            {"stem", stem_names[size_t(options_.stem)]}};
  o.merge(codec_->options());
  o.merge(skeleton_options(skeleton_));
  o.merge(crop_rule_options(crop_));
  return o;
}

std::unique_ptr<Model> make_stacked_hourglass(const Options& options) {
  OptionReader read("stacked_hourglass", options);
  StackedHourglassOptions o;
  o.stacks = read.integer("stacks", o.stacks, 1, 64);
  o.features = read.integer("features", o.features, 2, 4096);
  o.joints = read.integer("joints", o.joints, 1, 4096);
  o.depth = read.integer("depth", o.depth, 1, 8);
  o.channels = read.integer("channels", o.channels, 1, 3);
  o.block = StackedHourglassOptions::Block(read.index("block", block_names));
  o.stem = StackedHourglassOptions::Stem(read.index("stem", stem_names));
  std::unique_ptr<Codec> codec = make_codec(read);
  const Skeleton skeleton = read_skeleton(read, o.joints);
  const CropRule crop = read_crop_rule(read);
  read.finish();
  return std::make_unique<StackedHourglass>(o, std::move(codec), skeleton, crop);
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
  loss_of_stacks_ = read.choice("stacks", {"mean", "sum", "last"});
  read.finish();
}

Loss StackedHourglass::loss(Tape& tape, const Batch& batch) {
  const std::vector<Var> outputs = forward(tape.constant(batch.at("image")));
  Loss loss;
  for (size_t s = 0; s < outputs.size(); ++s) {
    const Var part = codec_->loss(outputs[s], batch);
    loss.terms[text("stack_", s + 1)] = part.value();
    loss.total = s == 0 || loss_of_stacks_ == "last" ? part : add(loss.total, part);
  }
  if (loss_of_stacks_ == "mean") loss.total = scale(loss.total, 1 / double(outputs.size()));
  loss.terms["zero_loss"] = codec_->zero_loss(outputs.back().value(), batch);
  return loss;
}

Tensor StackedHourglass::predict(const Tensor& image, int stacks) {
  Tape tape(false);
  return forward(tape.constant(image), stacks).back().value();
}

std::map<std::string, Tensor> StackedHourglass::raw_outputs(const Tensor& image) {
  return {{"heatmaps", predict(image)}};
}

std::vector<Tensor> StackedHourglass::detect_on_device(const Tensor& image,
                                                       const DetectOptions& options) {
  if (options.stacks > options_.stacks)
    throw UsageError("stacks", text(options.stacks, " of a network with ", options_.stacks),
                     text("1 to ", options_.stacks, ", or 0 for all"), "ask for fewer");
  Tensor output = predict(image, options.stacks);
  if (options.flip) {
    if (skeleton_.swap.empty())
      throw UsageError("flip", "the model does not know which points a mirror image exchanges",
                       "the option swap, 0,2,1 say",
                       "detect without the mirror image, or train with a skeleton that has pairs");
    std::vector<int> colours(size_t(image.dim(3)));
    std::iota(colours.begin(), colours.end(), 0);
    const Tensor turned = mirrored_maps(as_type(image, DType::f32), colours);
    const Tensor mirror =
        predict(as_type(turned, image.dtype()).to(image.device()), options.stacks);
    const Tensor answer = codec_->mirrored(mirror, skeleton_.swap).to(image.device());
    Tape tape(false);
    output = scale(add(tape.constant(output), tape.constant(answer)), 0.5).value();
  }
  return {output};
}

std::vector<Keypoints> StackedHourglass::keypoints_from(const std::vector<Tensor>& found,
                                                        const Shape& image) const {
  return codec_->decode(found[0], {image[1], image[2]});
}

}  // namespace cairn
