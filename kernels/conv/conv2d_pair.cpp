#include "kernels/conv/conv2d_pair.h"

#include <algorithm>

#include "kernels/conv/conv2d_sizes.h"
#include "kernels/conv/exact_step.h"
#include "kernels/conv/winograd.h"
#include "kernels/gemm/panels.h"

namespace cairn::cpu {
namespace {

// The first step, patch by patch: a product of the K numbers that the kernel sees at each pixel. K
// runs (v, u, c), as in gather.cpp, so that the sums have its bits.
class FirstStep {
 public:
  FirstStep(const Tensor& x, const ConvStep& step)
      : x_(x),
        s_(x, step.w, step.options),
        padding_(step.options.padding),
        epilogue_(step.epilogue),
        panels_(step.w.data<float>(), weight_rows(s_), s_.kh * s_.kw * s_.C, s_.O) {}

  void operator()(const MapPatch& p) const {
    thread_local std::vector<float> around, seen;
    copy_window(p, around);
    gather_seen(p, around.data(), seen);
    Block<float> block;
    block.M = p.rows * p.columns;
    block.N = s_.O;
    block.a = seen.data();
    block.a_row = 1;
    block.a_column = block.M;
    panels_.use(0, panels_.K(), 0, block);
    block.c = p.to;
    block.c_row = s_.O;
    block.finish = true;
    block.bias = epilogue_.bias ? epilogue_.bias->data<float>() : nullptr;
    block.act = epilogue_.act;
    block.slope = epilogue_.slope;
    multiply_block(block);
    clear_outside(p);
  }

 private:
  static std::vector<int64_t> weight_rows(const Conv2dSizes& s) {
    std::vector<int64_t> at;
    for (int64_t v = 0; v < s.kw; ++v)
      for (int64_t u = 0; u < s.kh; ++u)
        for (int64_t c = 0; c < s.C; ++c) at.push_back((u * s.kw + v) * s.C + c);
    return at;
  }

  // The image under the patch, with zeros around it.
  void copy_window(const MapPatch& p, std::vector<float>& window) const {
    const int64_t top = p.top - padding_, left = p.left - padding_, C = s_.C;
    const int64_t height = p.rows + s_.kh - 1, width = p.columns + s_.kw - 1;
    window.assign(height * width * C, 0);
    const float* image = x_.data<float>() + p.n * s_.H * s_.W * C;
    const int64_t first = std::clamp<int64_t>(-left, 0, width);
    const int64_t last = std::clamp<int64_t>(s_.W - left, first, width);
    for (int64_t i = 0; i < height; ++i)
      if (top + i >= 0 && top + i < s_.H)
        std::copy_n(image + ((top + i) * s_.W + left + first) * C, (last - first) * C,
                    window.data() + (i * width + first) * C);
  }

  // seen[k][pixel].
  void gather_seen(const MapPatch& p, const float* window, std::vector<float>& seen) const {
    const int64_t width = p.columns + s_.kw - 1, C = s_.C;
    seen.resize(panels_.K() * p.rows * p.columns);
    float* to = seen.data();
    for (int64_t v = 0; v < s_.kw; ++v)
      for (int64_t u = 0; u < s_.kh; ++u)
        for (int64_t c = 0; c < C; ++c)
          for (int64_t i = 0; i < p.rows; ++i, to += p.columns) {
            const float* from = window + ((i + u) * width + v) * C + c;
            for (int64_t j = 0; j < p.columns; ++j) to[j] = from[j * C];
          }
  }

  // Beyond the map's border the second step sees zeros, not what the first one makes of its own.
  void clear_outside(const MapPatch& p) const {
    const int64_t O = s_.O;
    for (int64_t i = 0; i < p.rows; ++i) {
      const bool row_inside = p.top + i >= 0 && p.top + i < s_.Ho;
      float* row = p.to + i * p.columns * O;
      for (int64_t j = 0; j < p.columns; ++j)
        if (!row_inside || p.left + j < 0 || p.left + j >= s_.Wo) std::fill_n(row + j * O, O, 0.f);
    }
  }

  const Tensor& x_;
  const Conv2dSizes s_;
  const int64_t padding_;
  const Epilogue epilogue_;
  const Panels<float> panels_;
};

bool sees_few(const ConvStep& step) {
  const Conv2dOptions& o = step.options;
  return step.w.count() <= 160 * step.w.dim(0) && o.stride == 1 && o.dilation == 1 && o.groups == 1;
}

}  // namespace

void conv2d_pair(const Tensor& x, const ConvStep& first, const ConvStep& second, Tensor& y) {
  const Shape between = conv_step_shape(x.shape(), first);
  if (y.dtype() == DType::f64 || !sees_few(first) ||
      !winograd_serves_wide(between, second.w.shape(), second.options)) {
    Tensor whole = x.empty_like(between);
    cpu::conv2d(x, first.w, first.options, first.epilogue, whole);
    return cpu::conv2d(whole, second.w, second.options, second.epilogue, y);
  }
  const Tensor image = as_type(x, DType::f32);
  const ExactStep one(first.w, first.epilogue), two(second.w, second.epilogue);
  const FirstStep map(image, {one.w, first.options, one.epilogue});
  winograd_of_patches(between, std::cref(map), two.w, second.options.padding, two.epilogue, y);
}

}  // namespace cairn::cpu
