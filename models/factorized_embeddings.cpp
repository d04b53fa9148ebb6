#include "models/factorized_embeddings.h"

#include "layers/functions_elementwise.h"
#include "layers/functions_heatmap.h"
#include "layers/functions_pool.h"
#include "models/landmark_keypoints.h"
#include "runtime/error.h"

namespace cairn {
namespace {

using Size = FactorizedEmbeddingsOptions::Size;

const std::vector<std::string> size_names = {"full", "mini"};
const std::vector<std::string> alignment_names = {"distribution", "mean"};
const std::vector<std::string> diversity_names = {"linear", "quadratic"};

struct Plan {
  int channels, kernel, dilation;
};
std::vector<Plan> plan_of(Size size, int landmarks) {
  if (size == Size::mini)
    return {{8, 3, 1}, {16, 3, 1}, {24, 3, 1}, {32, 3, 1}, {64, 3, 1}, {landmarks, 3, 1}};
  return {{20, 5, 1}, {48, 5, 1}, {64, 5, 2}, {80, 3, 4}, {256, 3, 2}, {landmarks, 1, 1}};
}

Conv2d convolution(int in, const Plan& p) {
  return Conv2d(in, p.channels, p.kernel,
                {.padding = p.dilation * (p.kernel / 2), .dilation = p.dilation}, true,
                xavier_uniform(in, p.channels, p.kernel));
}

// The image at places [N,H,W,2] in unit coordinates.
Tensor seen(const Tensor& image, const Tensor& places) {
  Tape tape(false);
  return grid_sample(tape.constant(image), tape.constant(places),
                     {Coordinates::unit, Padding::border})
      .value();
}

// g of places [N,H,W,2].
Tensor moved(const Tensor& places, const PointWarp& g) {
  Tape tape(false);
  const Tensor points = places.reshape({places.dim(0), places.dim(1) * places.dim(2), 2});
  return warp_points(tape.constant(points), g).value().reshape(places.shape());
}

}  // namespace

FactorizedEmbeddings::FactorizedEmbeddings(const FactorizedEmbeddingsOptions& o)
    : options_(o), skeleton_(numbered_skeleton(o.landmarks)) {
  if (o.landmarks < 1 || (o.channels != 1 && o.channels != 3) || o.border < 0)
    throw Error("factorized_embeddings",
                text("landmarks ", o.landmarks, ", channels ", o.channels, ", border ", o.border),
                "1 landmark or more, 1 or 3 channels, a border of 0 or more",
                "correct the options");
  const int64_t cells = ((o.crop.height - 2 * o.border) / 2) * ((o.crop.width - 2 * o.border) / 2);
  if (o.crop.height <= 2 * o.border || o.crop.width <= 2 * o.border || o.landmarks > cells)
    throw UsageError("factorized_embeddings",
                     text(o.landmarks, " landmarks on ", o.crop.height, "x", o.crop.width,
                          " pixels without a border of ", o.border),
                     "no more of them than there are cells of 2 x 2 pixels inside the border",
                     "ask for fewer, give larger images, or a smaller border");
  int in = o.channels;
  const std::vector<Plan> plan = plan_of(o.size, o.landmarks);
  for (const Plan& p : plan) {
    // The last norm fixes how sharp the distributions are at the start; a rectifier there would
    // leave them flat.
    const bool first = layers_.empty(), last = &p == &plan.back();
    const ConvNormStep step{.order = NormOrder::pre,
                            .act = last ? Activation::none : Activation::leaky_relu,
                            .pool2 = first,
                            .slope = 0.2f};
    layers_.emplace_back(new Layer{convolution(in, p), BatchNorm2d(p.channels), step});
    in = p.channels;
  }
}

void FactorizedEmbeddings::visit(Visitor& v) {
  for (size_t i = 0; i < layers_.size(); ++i) {
    v(text("conv", i + 1), layers_[i]->conv);
    v(text("bn", i + 1), layers_[i]->norm);
  }
}

Options FactorizedEmbeddings::options() const {
  Options o{{"landmarks", std::to_string(options_.landmarks)},
            {"channels", std::to_string(options_.channels)},
            {"size", size_names[size_t(options_.size)]},
            {"border", std::to_string(options_.border)}};
  o.merge(crop_rule_options(options_.crop));
  return o;
}

std::unique_ptr<Model> make_factorized_embeddings(const Options& options) {
  OptionReader read("factorized_embeddings", options);
  FactorizedEmbeddingsOptions o;
  o.size = Size(read.index("size", size_names));
  const bool mini = o.size == Size::mini;
  o.landmarks = read.integer("landmarks", o.landmarks, 1, 4096);
  o.channels = read.integer("channels", o.channels, 1, 3);
  const int64_t side = mini ? 56 : 96;
  o.crop = read_crop_rule(read, {side, side, 0});
  o.border = read.integer("border", mini ? 4 : 8, 0, 512);
  read.finish();
  return std::make_unique<FactorizedEmbeddings>(o);
}

void FactorizedEmbeddings::check_image(const Tensor& image) const {
  const int border = 2 * options_.border;
  if (image.rank() != 4 || image.dim(3) != channels() || image.dim(1) % 2 || image.dim(2) % 2 ||
      image.dim(1) <= border || image.dim(2) <= border)
    throw Error(
        "factorized_embeddings", text("the image has shape ", image.shape()),
        text("[N,H,W,", channels(), "] with even sides above ", border, ", twice the border"),
        text("resize it to ", options_.crop.height, "x", options_.crop.width));
}

// The distributions [N,H/2,W/2,K].
Var FactorizedEmbeddings::maps(const Var& centres) {
  Var x = centres;
  for (auto& layer : layers_) x = conv_norm(x, layer->conv, &layer->norm, layer->step);
  return spatial_softmax(x);
}

// Where the cells of size x size pixels of what the network sees lie in the image.
Tensor FactorizedEmbeddings::places(const Tensor& image, int size) const {
  const int border = 2 * options_.border;
  const int64_t H = image.dim(1) - border, W = image.dim(2) - border;
  const PointWarp in_image = scaling_warp(image.dim(0), double(W) / double(image.dim(2)),
                                          double(H) / double(image.dim(1)), image);
  return warped_grid(in_image, H / size, W / size);
}

std::map<std::string, Model::InputSpec> FactorizedEmbeddings::loss_inputs(int64_t batch,
                                                                          int64_t height,
                                                                          int64_t width) const {
  std::map<std::string, InputSpec> inputs = warp_inputs(batch);
  inputs["image"] = {{batch, height, width, channels()}, DType::f32, 1};
  return inputs;
}

void FactorizedEmbeddings::set_loss_options(const Options& options) {
  OptionReader read("factorized_embeddings loss", options);
  LossOptions o;
  o.means_alone = read.index("alignment", alignment_names) == 1;
  o.diversity = DiversityForm(read.index("diversity", diversity_names));
  o.diversity_weight = read.real("diversity_weight", o.diversity_weight, 0, 1e9);
  o.window = read.integer("window", o.window, 1, 1024);
  read.finish();
  loss_options_ = o;
}

Loss FactorizedEmbeddings::loss(Tape& tape, const Batch& batch) {
  const Tensor& image = batch.at("image");
  check_image(image);
  const PointWarp g = warp_of(batch);

  // Images and their copies go through the network together: one set of batch statistics.
  const Tensor pixels = places(image, 1), cells = places(image, 2);
  const Var p = maps(tape.constant(stacked(seen(image, pixels), seen(image, moved(pixels, g)))));
  const FieldMoments moments = field_moments(p, stacked(cells, moved(cells, g)));

  // E |u - g(v)|^2 = |E u - E g(v)|^2 + both variances, the mean over the points.
  const auto [mean, warped_mean] = halves(moments.mean);
  Var alignment = scale(mse(mean, warped_mean), 2);
  const Tensor& variance = moments.variance.value();
  const Var none =
      tape.constant(Tensor::zeros(variance.shape(), variance.dtype(), variance.device()));
  const Var spread = smooth_l1(moments.variance, none, {}, 0);  // its mean: it is not negative
  if (!loss_options_.means_alone) alignment = add(alignment, scale(spread, 2));

  const int window = loss_options_.window;
  const Var overlap =
      scale(diversity(window > 1 ? window_mean(p, window) : p, loss_options_.diversity),
            loss_options_.diversity_weight);

  // Where the points are found in the copies, brought back to the images.
  const auto [unused, copies] = halves(tape.constant(p.value()));
  const Var back = warp_points(field_moments(copies, cells).mean, g);
  return {add(alignment, overlap),
          {{"alignment", alignment.value()},
           {"diversity", overlap.value()},
           {"spread", scale(tape.constant(spread.value()), 0.5).value()},
           {"warp_error", distance(back, tape.constant(mean.value())).value()}}};
}

std::map<std::string, Tensor> FactorizedEmbeddings::raw_outputs(const Tensor& image) {
  check_image(image);
  Tape tape(false);
  const Var p = maps(tape.constant(seen(image, places(image, 1))));
  return {{"maps", p.value()}, {"points", field_moments(p, places(image, 2)).mean.value()}};
}

std::vector<Tensor> FactorizedEmbeddings::detect_on_device(const Tensor& image,
                                                           const DetectOptions&) {
  const auto raw = raw_outputs(image);
  return {raw.at("points"), raw.at("maps")};
}

std::vector<Keypoints> FactorizedEmbeddings::keypoints_from(const std::vector<Tensor>& found,
                                                            const Shape& image) const {
  return landmark_keypoints(found[0], found[1], image[1], image[2]);
}

}  // namespace cairn
