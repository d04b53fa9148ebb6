#include "models/superpoint.h"

#include <cmath>

#include "layers/functions_elementwise.h"
#include "runtime/error.h"

namespace cairn {
namespace {

// Zero-mean normal with gain sqrt 2 before a ReLU (He et al. 2015).
Init kaiming(int in, int kernel) {
  return {Init::Kind::normal, std::sqrt(2.0 / (in * kernel * kernel))};
}

Conv2dOptions same3x3(int stride = 1, int groups = 1) {
  return {.stride = stride, .padding = 1, .dilation = 1, .groups = groups};
}

std::unique_ptr<BatchNorm2d> norm_if(bool wanted, int channels) {
  return wanted ? std::make_unique<BatchNorm2d>(channels) : nullptr;
}

}  // namespace

struct SuperPoint::Backbone {
  virtual ~Backbone() = default;
  virtual void visit(Visitor& v) = 0;
  virtual Var forward(const Var& image) = 0;
  virtual int out_channels() const = 0;
};

// Eight 3x3 convolutions 64-64-64-64-128-128-128-128 with a 2x2 max pool after each of the first
// three pairs.
struct SuperPoint::Vgg : Backbone {
  struct Layer {
    const char *conv_name, *norm_name;
    Conv2d conv;
    std::unique_ptr<BatchNorm2d> norm;
    bool pool;
    Layer(const char* c, const char* n, int in, int out, bool with_norm, bool pool_)
        : conv_name(c),
          norm_name(n),
          conv(in, out, 3, same3x3(), true, kaiming(in, 3)),
          norm(norm_if(with_norm, out)),
          pool(pool_) {}
  };
  NormOrder order;
  std::vector<std::unique_ptr<Layer>> layers;

  explicit Vgg(NormOrder o) : order(o) {
    const auto add = [&](const char* c, const char* n, int in, int out, bool pool) {
      layers.push_back(std::make_unique<Layer>(c, n, in, out, o != NormOrder::none, pool));
    };
    add("conv1a", "bn1a", 1, 64, false);
    add("conv1b", "bn1b", 64, 64, true);
    add("conv2a", "bn2a", 64, 64, false);
    add("conv2b", "bn2b", 64, 64, true);
    add("conv3a", "bn3a", 64, 128, false);
    add("conv3b", "bn3b", 128, 128, true);
    add("conv4a", "bn4a", 128, 128, false);
    add("conv4b", "bn4b", 128, 128, false);
  }
  void visit(Visitor& v) override {
    for (auto& layer : layers) {
      v(layer->conv_name, layer->conv);
      if (layer->norm) v(layer->norm_name, *layer->norm);
    }
  }
  Var forward(const Var& image) override {
    const auto layer = [&](size_t i) {
      Layer& l = *layers[i];
      return ConvNormLayer{l.conv, l.norm.get(), {order, Activation::relu, l.pool}};
    };
    // The map between the first two would be the largest of all.
    Var x = conv_norm_pair(image, layer(0), layer(1));
    for (size_t i = 2; i < layers.size(); ++i) {
      const ConvNormLayer l = layer(i);
      x = conv_norm(x, l.conv, l.norm, l.step);
    }
    return x;
  }
  int out_channels() const override { return 128; }
};

// MobileNetV2 (Sandler et al., CVPR 2018), width 1.4, up to stride 8.
struct SuperPoint::MobileNet : Backbone {
  // Optional 1x1 expansion, depthwise 3x3, linear 1x1; a skip where shapes agree and `skip` is set.
  struct Block : Module {
    std::unique_ptr<Conv2d> expand;
    std::unique_ptr<BatchNorm2d> expand_norm;
    Conv2d depthwise;
    BatchNorm2d depthwise_norm;
    Conv2d project;
    BatchNorm2d project_norm;
    bool skip;

    Block(int in, int middle, int out, int stride, bool skip_)
        : expand(in == middle ? nullptr
                              : std::make_unique<Conv2d>(in, middle, 1, Conv2dOptions{}, false,
                                                         kaiming(in, 1))),
          expand_norm(norm_if(expand != nullptr, middle)),
          depthwise(middle, middle, 3, same3x3(stride, middle), false, kaiming(1, 3)),
          depthwise_norm(middle),
          project(middle, out, 1, Conv2dOptions{}, false, kaiming(middle, 1)),
          project_norm(out),
          skip(skip_) {}

    void visit(Visitor& v) override {
      if (expand) {
        v("conv_pw", *expand);
        v("bn1", *expand_norm);
      }
      v("conv_dw", depthwise);
      v(expand ? "bn2" : "bn1", depthwise_norm);
      v(expand ? "conv_pwl" : "conv_pw", project);
      v(expand ? "bn3" : "bn2", project_norm);
    }
    Var forward(const Var& x) {
      const ConvNormStep relu6{NormOrder::pre, Activation::relu6},
          linear{NormOrder::pre, Activation::none};
      Var y = expand ? conv_norm(x, *expand, expand_norm.get(), relu6) : x;
      y = conv_norm(y, depthwise, &depthwise_norm, relu6);
      y = conv_norm(y, project, &project_norm, linear);
      return skip ? add(x, y) : y;
    }
  };
  Conv2d stem{3, 48, 3, same3x3(2), false, kaiming(3, 3)};
  BatchNorm2d stem_norm{48};
  Block b20{48, 48, 24, 1, false};
  Block b30{24, 144, 32, 2, false}, b31{32, 192, 32, 1, true};
  Block b40{32, 192, 48, 2, false}, b41{48, 288, 48, 1, true}, b42{48, 288, 48, 1, true};

  void visit(Visitor& v) override {
    v("encoder_truncated.0", stem);
    v("encoder_truncated.1", stem_norm);
    v("encoder_truncated.2.0", b20);
    v("encoder_truncated.3.0", b30);
    v("encoder_truncated.3.1", b31);
    v("encoder_truncated.4.0", b40);
    v("encoder_truncated.4.1", b41);
    v("encoder_truncated.4.2", b42);
  }
  Var forward(const Var& image) override {
    Var x = conv_norm(image, stem, &stem_norm, {NormOrder::pre, Activation::relu6});
    for (Block* b : {&b20, &b30, &b31, &b40, &b41, &b42}) x = b->forward(x);
    return x;
  }
  int out_channels() const override { return 48; }
};

SuperPoint::~SuperPoint() = default;

SuperPoint::SuperPoint(const SuperPointOptions& options)
    : options_(options),
      backbone_(options.backbone == SuperPointOptions::Backbone::vgg
                    ? std::unique_ptr<Backbone>(std::make_unique<Vgg>(options.norm))
                    : std::make_unique<MobileNet>()),
      convPa_(backbone_->out_channels(), 256, 3, same3x3(), true,
              kaiming(backbone_->out_channels(), 3)),
      convPb_(256, 65, 1, {}, true, xavier_uniform(256, 65, 1)) {
  const bool mobile = options.backbone == SuperPointOptions::Backbone::mnv2;
  if (mobile) options_.norm = NormOrder::pre;
  const bool norm = options_.norm != NormOrder::none;
  bnPa_ = norm_if(norm, 256);
  bnPb_ = norm_if(norm, 65);
  if (!options.descriptor) return;
  SuperPoint::set_loss_options({});
  const int features = backbone_->out_channels();
  convDa_ = std::make_unique<Conv2d>(features, 256, 3, same3x3(), true, kaiming(features, 3));
  convDb_ =
      std::make_unique<Conv2d>(256, 256, 1, Conv2dOptions{}, true, xavier_uniform(256, 256, 1));
  bnDa_ = norm_if(norm, 256);
  // Without a norm of their own, descriptors keep the freedom that their L2 normalisation needs.
  bnDb_ = norm_if(mobile, 256);
}

void SuperPoint::visit(Visitor& v) {
  backbone_->visit(v);
  v("convPa", convPa_);
  if (bnPa_) v("bnPa", *bnPa_);
  v("convPb", convPb_);
  if (bnPb_) v("bnPb", *bnPb_);
  if (!convDa_) return;
  v("convDa", *convDa_);
  if (bnDa_) v("bnDa", *bnDa_);
  v("convDb", *convDb_);
  if (bnDb_) v("bnDb", *bnDb_);
}

Var SuperPoint::head(const Var& features, Conv2d& first, BatchNorm2d* first_norm, Conv2d& last,
                     BatchNorm2d* last_norm) {
  const Var hidden = conv_norm(features, first, first_norm, {options_.norm, Activation::relu});
  const NormOrder order = last_norm ? NormOrder::pre : NormOrder::none;
  // The last layer and what follows it compute in the parameters' type, also on bf16 activations.
  return conv_norm(cast(hidden, last.weight.value.dtype()), last, last_norm,
                   {order, Activation::none});
}

void SuperPoint::check(const Shape& s) const {
  if (s.rank() != 4 || s[3] != channels() || s[1] % cell || s[2] % cell || s[1] == 0 || s[2] == 0)
    throw Error("superpoint", text("the image has shape ", s),
                text("[N,H,W,", channels(), "] with H and W multiples of ", cell),
                "pad or resize the image, and convert its channels");
}

Var SuperPoint::features(const Var& image) {
  check(image.shape());
  return backbone_->forward(image);
}

Var SuperPoint::logits(const Var& features) {
  return head(features, convPa_, bnPa_.get(), convPb_, bnPb_.get());
}

SuperPoint::Output SuperPoint::forward(const Var& image) {
  const Var shared = features(image);
  Output out;
  out.logits = logits(shared);
  if (convDa_) out.descriptors = head(shared, *convDa_, bnDa_.get(), *convDb_, bnDb_.get());
  return out;
}

namespace {

const std::vector<std::string> norm_names = {"none", "pre", "post"};
const std::vector<std::string> sampling_names = {"exact", "compat_v1"};

}  // namespace

Options SuperPoint::options() const {
  const bool mobile = options_.backbone == SuperPointOptions::Backbone::mnv2;
  Options o{{"descriptor", options_.descriptor ? "true" : "false"},
            {"sampling", sampling_names[int(options_.sampling)]},
            {"scales", number_list(options_.scales)}};
  if (mobile)
    o["variant"] = "mnv2";
  else
    o["norm"] = norm_names[int(options_.norm)];
  return o;
}

std::unique_ptr<Model> make_superpoint(const Options& options) {
  OptionReader read("superpoint", options);
  SuperPointOptions o;
  const std::string variant = read.choice("variant", {"vgg", "mnv2", "v1"});
  const bool mobile = variant == "mnv2";
  o.backbone = mobile ? SuperPointOptions::Backbone::mnv2 : SuperPointOptions::Backbone::vgg;
  // The mobile network was trained by others, with the sampling of the v1 weights.
  const std::string sampling =
      read.choice("sampling", variant != "vgg" ? std::vector<std::string>{"compat_v1", "exact"}
                                               : sampling_names);
  if (sampling == "compat_v1") o.sampling = SuperPointOptions::Sampling::compat_v1;
  if (!mobile) {
    const std::string norm = read.choice("norm", norm_names);
    o.norm = norm == "pre" ? NormOrder::pre : norm == "post" ? NormOrder::post : NormOrder::none;
  }
  o.descriptor = read.boolean("descriptor", true);
  o.scales = read.reals("scales", o.scales, 0.25, 2);
  read.finish();
  return std::make_unique<SuperPoint>(o);
}

bool SuperPoint::computes_in(DType type, Device device) const {
  const bool vgg = options_.backbone == SuperPointOptions::Backbone::vgg;
  return Model::computes_in(type, device) ||
         (type == DType::bf16 && (vgg || device != Device::cpu));
}

int SuperPoint::channels() const {
  return options_.backbone == SuperPointOptions::Backbone::vgg ? 1 : 3;
}

}  // namespace cairn
