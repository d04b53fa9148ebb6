#include "kernels/conv/onednn.h"

#include <algorithm>
#include <dnnl.hpp>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "runtime/threads.h"

namespace cairn::onednn {
namespace {

using Description = dnnl::memory::desc;

dnnl::engine& engine() {
  static dnnl::engine e(dnnl::engine::kind::cpu, 0);
  return e;
}

enum class Direction { forward, backward_data, backward_weights };

// Everything that a primitive was compiled for.
struct Problem {
  Direction direction;
  Shape x, w, y;
  Conv2dOptions options;
  bool bias;
  Activation act;
  float slope;

  std::vector<int64_t> key() const {
    std::vector<int64_t> k{int64_t(direction),       options.stride, options.padding,
                           options.dilation,         bias,           int64_t(act),
                           int64_t(slope * 1048576), thread_count()};
    for (const Shape* s : {&x, &w, &y}) k.insert(k.end(), s->begin(), s->end());
    return k;
  }
};

// A compiled convolution, and the layout that it wants its weights (or gives their gradient) in.
struct Compiled {
  dnnl::primitive run;
  Description x, y, weights;
};

Description described(const Shape& s, dnnl::memory::format_tag tag) {
  return {{s[0], s[3], s[1], s[2]}, dnnl::memory::data_type::f32, tag};
}

// The descriptions of the three directions. In 2.x an operation is described first, 3.x takes the
// same arguments at once.
#if DNNL_VERSION_MAJOR >= 3
#define CAIRN_DESCRIBE(kind, attributes_or_hint, ...) \
  dnnl::kind::primitive_desc(engine(), __VA_ARGS__, attributes_or_hint)
#else
#define CAIRN_DESCRIBE(kind, attributes_or_hint, ...) \
  describe_2x<dnnl::kind::primitive_desc>(dnnl::kind::desc(__VA_ARGS__), attributes_or_hint)

template <class P, class D>
P describe_2x(const D& d, const dnnl::primitive_attr& attributes) {
  return P(d, attributes, engine());
}
template <class P, class D>
P describe_2x(const D& d, const dnnl::convolution_forward::primitive_desc& hint) {
  return P(d, engine(), hint);
}
#endif

dnnl::primitive_attr activation(const Problem& p) {
  dnnl::primitive_attr attributes;
  if (p.act == Activation::none) return attributes;
  dnnl::post_ops after;
  const float slope = p.act == Activation::leaky_relu ? p.slope : 0;
#if DNNL_VERSION_MAJOR >= 3
  after.append_eltwise(dnnl::algorithm::eltwise_relu, slope, 0);
#else
  after.append_eltwise(1, dnnl::algorithm::eltwise_relu, slope, 0);
#endif
  attributes.set_post_ops(after);
  return attributes;
}

Compiled compile(const Problem& p) {
  using dnnl::memory;
  using Tag = memory::format_tag;
  const auto direct = dnnl::algorithm::convolution_direct;
  const Description x = described(p.x, Tag::nhwc), y = described(p.y, Tag::nhwc);
  const Description w = described(p.w, Tag::any);
  Description bias;
  if (p.bias) bias = Description({p.w[0]}, memory::data_type::f32, Tag::a);
  const memory::dims stride{p.options.stride, p.options.stride};
  const memory::dims padding{p.options.padding, p.options.padding};
  const memory::dims gaps{p.options.dilation - 1, p.options.dilation - 1};
  const auto forward =
      CAIRN_DESCRIBE(convolution_forward, activation(p), dnnl::prop_kind::forward_training, direct,
                     x, w, bias, y, stride, gaps, padding, padding);
  if (p.direction == Direction::backward_data) {
    const auto d = CAIRN_DESCRIBE(convolution_backward_data, forward, direct, x, w, y, stride, gaps,
                                  padding, padding);
    return {dnnl::convolution_backward_data(d), x, y, d.weights_desc()};
  }
  if (p.direction == Direction::backward_weights) {
    const auto d = CAIRN_DESCRIBE(convolution_backward_weights, forward, direct, x, w, y, stride,
                                  gaps, padding, padding);
    return {dnnl::convolution_backward_weights(d), x, y, d.diff_weights_desc()};
  }
  return {dnnl::convolution_forward(forward), x, y, forward.weights_desc()};
}

// Compiling takes a millisecond or more, so each problem is compiled once.
const Compiled& compiled(const Problem& p) {
  static std::mutex mutex;
  static std::map<std::vector<int64_t>, Compiled> known;
  std::lock_guard lock(mutex);
  const auto key = p.key();
  const auto found = known.find(key);
  return found != known.end() ? found->second : known.emplace(key, compile(p)).first->second;
}

dnnl::memory view(const Description& d, const Tensor& t) {
  return {d, engine(), const_cast<void*>(t.raw())};
}

// Runs a problem on x, w and y, whichever of them it writes.
void run(const Problem& p, const Tensor& x, const Tensor& w, const Tensor& y, const Tensor* bias) {
  const Compiled& c = compiled(p);
  dnnl::stream stream(engine());
  const dnnl::memory own = view(described(p.w, dnnl::memory::format_tag::ohwi), w);
  const Tensor place = Tensor::empty({int64_t(c.weights.get_size())}, DType::u8);
  dnnl::memory weights = view(c.weights, place), from = own;
  const dnnl::memory mx = view(c.x, x), my = view(c.y, y);
  if (p.direction == Direction::backward_weights) {
    c.run.execute(stream,
                  {{DNNL_ARG_SRC, mx}, {DNNL_ARG_DIFF_DST, my}, {DNNL_ARG_DIFF_WEIGHTS, weights}});
    dnnl::reorder(weights, from).execute(stream, weights, from);
  } else {
    dnnl::reorder(from, weights).execute(stream, from, weights);
    if (p.direction == Direction::backward_data) {
      c.run.execute(
          stream, {{DNNL_ARG_DIFF_SRC, mx}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_DST, my}});
    } else {
      std::unordered_map<int, dnnl::memory> arguments{
          {DNNL_ARG_SRC, mx}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, my}};
      if (bias)
        arguments[DNNL_ARG_BIAS] =
            view(Description({p.w[0]}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a),
                 *bias);
      c.run.execute(stream, arguments);
    }
  }
  stream.wait();
}

}  // namespace

bool serves(const Tensor& x, const Tensor& w, const Conv2dOptions& options) {
  const int64_t narrow = std::min(w.dim(0), w.dim(3));
  return x.dtype() == DType::f32 && options.groups == 1 && narrow > 1 && narrow < 32 &&
         w.dim(1) * w.dim(2) > 1 && x.count() > 0;
}

bool serves(const Epilogue& e) {
  return !e.pool2 && (e.act == Activation::none || e.act == Activation::relu ||
                      e.act == Activation::leaky_relu);
}

void conv2d(const Tensor& x, const Tensor& w, const Conv2dOptions& options,
            const Epilogue& epilogue, Tensor& y) {
  run({Direction::forward, x.shape(), w.shape(), y.shape(), options, epilogue.bias != nullptr,
       epilogue.act, epilogue.slope},
      x, w, y, epilogue.bias);
}

void conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                          Tensor& dx) {
  run({Direction::backward_data, dx.shape(), w.shape(), dy.shape(), options, false,
       Activation::none, 0},
      dx, w, dy, nullptr);
}

void conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                             Tensor& dw) {
  run({Direction::backward_weights, x.shape(), dw.shape(), dy.shape(), options, false,
       Activation::none, 0},
      x, dw, dy, nullptr);
}

}  // namespace cairn::onednn
