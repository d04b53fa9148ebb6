#include "kernels/conv/conv2d_pair.h"

#include <algorithm>

#include "kernels/conv/conv2d_sizes.h"
#include "kernels/conv/exact_step.h"
#include "kernels/conv/winograd.h"
#include "kernels/gemm/panels.h"

namespace cairn::cpu {
namespace {

// The first step, patch by patch: a product whose matrix has a row for each pixel, of the K numbers
// that the kernel sees there. K runs (v, u, c), as in gather.cpp, so that the sums have its bits.
class FirstStep {
 public:
  FirstStep(const Tensor& x, const ConvStep& step)
      : x_(x),
        s_(x, step.w, step.options),
        padding_(step.options.padding),
        epilogue_(step.epilogue),
        panels_(step.w.data<float>(), weight_rows(s_), s_.kh * s_.kw * s_.C, s_.O) {}

  void operator()(const MapPatch& p) const {
    const Tensor seen = seen_by_each_pixel(p);
    Block<float> block;
    block.M = p.rows * p.columns;
    block.N = s_.O;
    block.a = seen.data<float>();
    block.a_row = panels_.K();
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
  Tensor window(const MapPatch& p) const {
    const int64_t top = p.top - padding_, left = p.left - padding_;
    Tensor t = Tensor::empty({p.rows + s_.kh - 1, p.columns + s_.kw - 1, s_.C});
    float* to = t.data<float>();
    const float* image = x_.data<float>() + p.n * s_.H * s_.W * s_.C;
    for (int64_t r = top; r < top + t.dim(0); ++r, to += t.dim(1) * s_.C) {
      const bool inside = r >= 0 && r < s_.H;
      const int64_t first = inside ? std::clamp<int64_t>(-left, 0, t.dim(1)) : t.dim(1);
      const int64_t last = inside ? std::clamp<int64_t>(s_.W - left, first, t.dim(1)) : t.dim(1);
      std::fill(to, to + first * s_.C, 0.f);
      if (last > first)
        std::copy_n(image + (r * s_.W + left + first) * s_.C, (last - first) * s_.C,
                    to + first * s_.C);
      std::fill(to + last * s_.C, to + t.dim(1) * s_.C, 0.f);
    }
    return t;
  }

  Tensor seen_by_each_pixel(const MapPatch& p) const {
    const Tensor around = window(p);
    Tensor seen = Tensor::empty({p.rows * p.columns, panels_.K()});
    const int64_t width = around.dim(1), C = s_.C;
    const float* from = around.data<float>();
    float* to = seen.data<float>();
    for (int64_t i = 0; i < p.rows; ++i)
      for (int64_t j = 0; j < p.columns; ++j)
        for (int64_t v = 0; v < s_.kw; ++v)
          for (int64_t u = 0; u < s_.kh; ++u)
            for (int64_t c = 0; c < C; ++c) *to++ = from[((i + u) * width + j + v) * C + c];
    return seen;
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
      !winograd_serves(between, second.w.shape(), second.options)) {
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
