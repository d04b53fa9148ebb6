#include "models/landmark_autoencoder.h"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise/cast.h"
#include "layers/functions_elementwise.h"
#include "layers/functions_heatmap.h"
#include "layers/functions_landmark.h"
#include "layers/functions_loss.h"
#include "models/landmark_keypoints.h"
#include "runtime/error.h"

namespace cairn {
namespace {

constexpr double two_pi_e = 17.079468445347132;
using Size = LandmarkAutoencoderOptions::Size;
using Ground = LandmarkAutoencoderOptions::Ground;
using Masks = LandmarkAutoencoderOptions::Masks;
using Levels = std::vector<HourglassLevel>;

const std::vector<std::string> size_names = {"full", "mini"};
const std::vector<std::string> ground_names = {"paper", "code"};
const std::vector<std::string> mask_names = {"maps", "gaussian"};
const std::vector<std::string> spread_names = {"variance", "deviation"};

// What differs between the sizes; levels from the finest to the coarsest.
struct Widths {
  int features, descriptor;
  Levels detector, feature, decoder;  // the last width of detector and decoder is 0: their channels
};
Widths widths_of(Size size) {
  if (size == Size::mini)
    return {16,
            4,
            {{{8, 8}, {8, 0}, 3},
             {{16, 16}, {16, 8}, 3},
             {{16, 16}, {16, 16}, 3},
             {{16, 16}, {16, 16}}},
            {{{8, 16}, {16, 16}, 2}, {{32}, {16}, 2}, {{64}, {32}, 2}, {{64}, {64}}},
            {{{16, 16}, {16, 0}, 2}, {{32}, {16}, 2}, {{64}, {32}, 2}, {{64}, {64}}}};
  return {64,
          8,
          {{{32, 32}, {32, 0}, 3},
           {{64, 64}, {64, 32}, 3},
           {{64, 64}, {64, 64}, 3},
           {{64, 64}, {64, 64}}},
          {{{32, 64}, {64, 64}, 2}, {{128}, {64}, 2}, {{256}, {128}, 2}, {{512}, {256}}},
          {{{64, 64}, {32, 0}, 2},
           {{128}, {64}, 2},
           {{256}, {128}, 2},
           {{512}, {256}, 2},
           {{512}, {512}}}};
}

Levels ending_in(Levels levels, int channels) {
  levels[0].up.back() = channels;
  return levels;
}

int painted_channels(const LandmarkAutoencoderOptions& o) {
  return int(o.sigmas.size()) * (o.landmarks + 1 + widths_of(o.size).features);
}

// The matrices of one linear map per landmark.
Parameter grouped_weight(int groups, int in, int out) {
  return {{groups, out, in}, xavier_uniform(in, out, 1)};
}

}  // namespace

LandmarkAutoencoder::LandmarkAutoencoder(const LandmarkAutoencoderOptions& o)
    : options_(o),
      detector_(o.channels, ending_in(widths_of(o.size).detector, o.landmarks + 1), true),
      features_(o.channels, widths_of(o.size).feature, false),
      decoder_(painted_channels(o), ending_in(widths_of(o.size).decoder, o.channels), true),
      describe_weight_(grouped_weight(o.landmarks + 1, widths_of(o.size).features,
                                      widths_of(o.size).descriptor)),
      describe_bias_({widths_of(o.size).descriptor}, {}),
      paint_weight_(grouped_weight(o.landmarks + 1, widths_of(o.size).descriptor,
                                   widths_of(o.size).features)),
      paint_bias_({widths_of(o.size).features}, {}) {
  skeleton_ = numbered_skeleton(o.landmarks);
  exempt_biases_from_decay(*this);
  if (!takes(o.crop.height, o.crop.width))
    throw UsageError(
        "landmark_autoencoder",
        text(o.crop.height, "x", o.crop.width, " with a padding of ", o.padding),
        text("sides that are multiples of ", size_multiple(), ", with the padding of 8"),
        "choose another height, width or padding");
}

void LandmarkAutoencoder::visit(Visitor& v) {
  v("detector", detector_);
  v("features", features_);
  v("describe.weight", describe_weight_);
  v("describe.bias", describe_bias_);
  v("paint.weight", paint_weight_);
  v("paint.bias", paint_bias_);
  v("decoder", decoder_);
}

int LandmarkAutoencoder::size_multiple() const { return options_.size == Size::mini ? 8 : 16; }

Options LandmarkAutoencoder::options() const {
  Options o{{"landmarks", std::to_string(options_.landmarks)},
            {"channels", std::to_string(options_.channels)},
            {"size", size_names[size_t(options_.size)]},
            {"padding", std::to_string(options_.padding)},
            {"sigmas", number_list(options_.sigmas)},
            {"ground", ground_names[size_t(options_.ground)]},
            {"masks", mask_names[size_t(options_.masks)]},
            {"descriptors", options_.linear_descriptors ? "linear" : "leaky_relu"}};
  o.merge(crop_rule_options(options_.crop));
  return o;
}

std::unique_ptr<Model> make_landmark_autoencoder(const Options& options) {
  OptionReader read("landmark_autoencoder", options);
  LandmarkAutoencoderOptions o;
  o.size = Size(read.index("size", size_names));
  const bool mini = o.size == Size::mini;
  o.landmarks = read.integer("landmarks", o.landmarks, 1, 63);
  o.channels = read.integer("channels", o.channels, 1, 3);
  o.crop = read_crop_rule(read, {mini ? 32 : 80, mini ? 32 : 80, 0});
  o.padding = read.integer("padding", mini ? 4 : 8, 0, 512);
  if (mini) o.sigmas = {0.125, 0.25, 0.5};
  o.sigmas = read.reals("sigmas", o.sigmas, 0.001, 10);
  o.ground = Ground(read.index("ground", ground_names));
  o.masks = Masks(read.index("masks", mask_names));
  o.linear_descriptors = read.choice("descriptors", {"leaky_relu", "linear"}) == "linear";
  read.finish();
  return std::make_unique<LandmarkAutoencoder>(o);
}

bool LandmarkAutoencoder::takes(int64_t height, int64_t width) const {
  const auto fits = [&](int64_t side) {
    return side > 0 && side % size_multiple() == 0 && (side + 2 * options_.padding) % 8 == 0;
  };
  return fits(height) && fits(width);
}

void LandmarkAutoencoder::check_image(const Tensor& image) const {
  if (image.rank() != 4 || image.dim(3) != channels() || !takes(image.dim(1), image.dim(2)))
    throw Error("landmark_autoencoder", text("the image has shape ", image.shape()),
                text("[N,H,W,", channels(), "] with H and W multiples of ", size_multiple()),
                text("resize it to ", options_.crop.height, "x", options_.crop.width));
}

bool LandmarkAutoencoder::computes_in(DType type, Device device) const {
  return Model::computes_in(type, device) || (type == DType::bf16 && device != Device::cpu);
}

// In the parameters' type: what prepares images, and what compares them.
Tensor LandmarkAutoencoder::exact(const Tensor& image) const {
  return as_type(image, describe_bias_.value.dtype());
}

// In the image's type.
Var LandmarkAutoencoder::padded(Tape& tape, const Tensor& image) const {
  return tape.constant(as_type(pad_border(exact(image), options_.padding), image.dtype()));
}

LandmarkAutoencoder::Detected LandmarkAutoencoder::find(const Var& padded) {
  const LandmarkMaps found = landmark_maps(detector_(padded));
  return {found.maps, found.point, found.variance};
}

Var LandmarkAutoencoder::masks(const Detected& d) const {
  if (options_.masks == Masks::maps) return d.maps;
  const int64_t H = d.maps.dim(1), W = d.maps.dim(2), K = options_.landmarks;
  const Var sigma = isotropic_deviation(d.variance, double(W) / double(H));
  const Var one =
      sigma.tape().constant(Tensor::full(sigma.shape(), 1, sigma.value().dtype(), sigma.device()));
  return concat({gaussian(d.point, sigma, one, H, W), slice_channels(d.maps, K, 1)});
}

// The code's descriptors: what the features are on average under each mask.
Var LandmarkAutoencoder::describe(const Var& padded, const Var& masks) {
  Tape& tape = padded.tape();
  const Var features = cast(features_(padded), masks.value().dtype());
  return grouped_linear(mask_pool(masks, features), parameter(tape, describe_weight_),
                        parameter(tape, describe_bias_));
}

// From the padded frame to that of the image.
Var LandmarkAutoencoder::in_image(const Var& points, const Tensor& image) const {
  const double p = 2 * options_.padding;
  return warp_points(points, scaling_warp(points.dim(0), 1 + p / double(image.dim(2)),
                                          1 + p / double(image.dim(1)), points.value()));
}

// The image from points (in its own frame) and descriptors.
Var LandmarkAutoencoder::paint(const Var& points, const Var& descriptors, int64_t height,
                               int64_t width, DType activations) {
  Tape& tape = points.tape();
  Var values =
      grouped_linear(descriptors, parameter(tape, paint_weight_), parameter(tape, paint_bias_));
  if (!options_.linear_descriptors) values = activation(values, Activation::leaky_relu, 0.2f);
  std::vector<GaussianWidth> widths;
  for (double s : options_.sigmas)
    widths.push_back({s, options_.ground == Ground::paper ? 1 : s * s * double(height * width)});
  const Var placed = gaussian_unpool(points, values, widths, height, width);
  return activation(decoder_(cast(placed, activations)), Activation::sigmoid);
}

LandmarkAutoencoder::Code LandmarkAutoencoder::encode(const Tensor& image) {
  check_image(image);
  Tape tape(false);
  const Var seen = padded(tape, image);
  const Detected d = find(seen);
  return {in_image(d.point, image).value(), describe(seen, masks(d)).value()};
}

Tensor LandmarkAutoencoder::decode(const Code& code, int64_t height, int64_t width) {
  Tape tape(false);
  return paint(tape.constant(code.points), tape.constant(code.descriptors), height, width,
               code.points.dtype())
      .value();
}

Tensor LandmarkAutoencoder::maps(const Tensor& image) {
  check_image(image);
  Tape tape(false);
  return find(padded(tape, image)).maps.value();
}

std::map<std::string, Model::InputSpec> LandmarkAutoencoder::loss_inputs(int64_t batch,
                                                                         int64_t height,
                                                                         int64_t width) const {
  std::map<std::string, InputSpec> inputs = warp_inputs(batch);
  inputs["image"] = {{batch, height, width, channels()}, DType::f32, 1};
  inputs["reconstruction_weight"] = {{batch, channels()}, DType::f32, 1};
  return inputs;
}

void LandmarkAutoencoder::set_loss_options(const Options& options) {
  OptionReader read("landmark_autoencoder loss", options);
  Weights w;
  w.separation = read.real("separation", w.separation, 0, 1e9);
  w.separation_sigma = read.real("separation_sigma", w.separation_sigma, 1e-4, 10);
  w.concentration = read.real("concentration", w.concentration, 0, 1e9);
  w.equivariance = read.real("equivariance", w.equivariance, 0, 1e9);
  w.spread = Spread(read.index("spread", spread_names));
  read.finish();
  weights_ = w;
}

Loss LandmarkAutoencoder::loss(Tape& tape, const Batch& batch) {
  check_image(batch.at("image"));
  const DType activations = batch.at("image").dtype();
  const Tensor image = exact(batch.at("image"));
  const int64_t H = image.dim(1), W = image.dim(2), K = options_.landmarks;
  const PointWarp warp = warp_of(batch);

  // Images and their warped copies go through the detector together: one set of batch statistics.
  const Tensor padded = pad_border(image, options_.padding);
  const Detected both =
      find(tape.constant(as_type(stacked(padded, warp_smoothly(padded, warp)), activations)));
  const auto [point, warped_point] = halves(both.point);
  const Detected own{halves(both.maps).first, point, halves(both.variance).first};

  const Var descriptors = describe(tape.constant(as_type(padded, activations)), masks(own));
  const Var painted = paint(in_image(point, image), descriptors, H, W, activations);

  // Constraints are measured in sides of the image, landmarks in those of the padded one.
  const double aspect = double(padded.dim(2)) / double(padded.dim(1));
  const double rho = std::sqrt(double(H * W) / double(padded.dim(1) * padded.dim(2)));
  const Var spread = concentration(both.variance, aspect, weights_.spread);
  const Var crowd = separation(both.point, rho * weights_.separation_sigma, aspect);
  const Var back = warp_points(warped_point, warp);
  const Var misses = mse(back, point);
  // sum over landmarks of the squared distance where the frame is 2 wide
  const Var equivariance = scale(misses, weights_.equivariance * 4 * 2 * double(K) / rho);
  const Var concentrated = scale(spread, weights_.concentration / (rho * rho));
  const Var separated = scale(crowd, weights_.separation);
  const Tensor& weight = batch.at("reconstruction_weight");
  const Var reconstruction =
      scale(mse(painted, tape.constant(image), weight), 0.5 * double(H * W * channels()));

  Loss loss;
  loss.total = add(add(concentrated, separated), add(equivariance, reconstruction));
  loss.terms = {
      {"concentration", concentrated.value()},
      {"separation", separated.value()},
      {"equivariance", equivariance.value()},
      {"reconstruction", reconstruction.value()},
      {"spread",
       scale(tape.constant(spread.value()), 1 / (two_pi_e * double(K) * rho * rho)).value()},
      {"warp_error",
       scale(distance(tape.constant(back.value()), tape.constant(point.value())), 1 / rho).value()},
      {"squared_error", mse(tape.constant(painted.value()), tape.constant(image)).value()}};
  return loss;
}

std::map<std::string, Tensor> LandmarkAutoencoder::raw_outputs(const Tensor& image) {
  const Code code = encode(image);
  return {{"maps", maps(image)},
          {"points", code.points},
          {"descriptors", code.descriptors},
          {"reconstruction", decode(code, image.dim(1), image.dim(2))}};
}

std::vector<Tensor> LandmarkAutoencoder::detect_on_device(const Tensor& image,
                                                          const DetectOptions&) {
  check_image(image);
  Tape tape(false);
  const Detected d = find(padded(tape, image));
  return {in_image(d.point, image).value(), d.maps.value()};
}

std::vector<Keypoints> LandmarkAutoencoder::keypoints_from(const std::vector<Tensor>& found,
                                                           const Shape& image) const {
  return landmark_keypoints(found[0], found[1], image[1], image[2]);
}

}  // namespace cairn
