#include "kernels/conv/gather.h"

#include <algorithm>

#include "kernels/activation.h"
#include "kernels/conv/strip.h"
#include "kernels/gemm/product.h"

namespace cairn {

Axis forward_axis(int64_t size, int64_t kernel, const Conv2dOptions& o) {
  Axis axis{size, 0, 1, o.stride, {}, {}};
  for (int64_t u = 0; u < kernel; ++u) {
    axis.offset.push_back(u * o.dilation - o.padding);
    axis.tap.push_back(u);
  }
  return axis;
}

Axis backward_axis(int64_t size, int64_t kernel, int64_t remainder, const Conv2dOptions& o) {
  // x at p meets tap u in the output (p + padding - u dilation) / stride, if that is whole.
  Axis axis{(size - remainder + o.stride - 1) / o.stride, remainder, o.stride, 1, {}, {}};
  for (int64_t u = kernel - 1; u >= 0; --u) {
    const int64_t reach = remainder + o.padding - u * o.dilation;
    if (reach % o.stride != 0) continue;
    axis.offset.push_back(reach / o.stride);
    axis.tap.push_back(u);
  }
  return axis;
}

namespace {

// A block of outputs, one row of up to `length` pixels, is a product whose A is a strip (strip.h).
// K is ordered (v, u, c): one run for all of v where the columns' offsets follow each other.
template <class T>
class Gather {
 public:
  Gather(const Tensor& x, const T* w, const WeightStrides& strides, int groups, const Axis& rows,
         const Axis& columns, const Epilogue& epilogue, Tensor& y)
      : rows_(rows),
        columns_(columns),
        epilogue_(epilogue),
        stream_(too_large_to_cache(y.bytes()) && !epilogue.pool2 && !is_curved(epilogue.act)),
        groups_(groups),
        H_(x.dim(1)),
        W_(x.dim(2)),
        C_(x.dim(3)),
        Hy_(y.dim(1)),
        Wy_(y.dim(2)),
        O_(y.dim(3)),
        Cg_(C_ / groups),
        Og_(O_ / groups),
        U_(int64_t(rows.tap.size())),
        x_(x.data<T>()),
        y_(y.data<T>()) {
    for (int g = 0; g < groups; ++g)
      panels_.emplace_back(w + g * strides.group, weight_rows(strides), strides.output, Og_);
    const int64_t V = int64_t(columns.tap.size());
    for (int64_t v = 0; v < V && U_ > 0; ++v) {
      const bool follows = v > 0 && columns.offset[v] == columns.offset[v - 1] + 1;
      if (!follows) runs_.push_back({columns.offset[v] - columns.offset[0], v * U_ * Cg_, 0});
      runs_.back().K += U_ * Cg_;
    }
    reach_ = V > 0 ? columns.offset[V - 1] - columns.offset[0] + 1 : 0;
    choose_length();
  }

  void run(int64_t N) {
    const int64_t bands = epilogue_.pool2 ? Hy_ : rows_.count;
    const int64_t blocks = (columns_.count + length_ - 1) / length_;
    parallel_for(N * bands * blocks, 1, [&](int64_t begin, int64_t end) {
      Tensor strip = Tensor::empty({strip_size(length_)}, DTypeOf<T>::value);
      Tensor band = Tensor::empty({epilogue_.pool2 ? 2 * length_ * O_ : 0}, DTypeOf<T>::value);
      for (int64_t item = begin; item < end; ++item) {
        const int64_t j = item % blocks * length_, i = item / blocks % bands;
        const int64_t n = item / blocks / bands, count = std::min(length_, columns_.count - j);
        if (epilogue_.pool2)
          pooled(n, i, j, count, strip.data<T>(), band.data<T>());
        else
          block(n, i, j, count, strip.data<T>(), place(n, i, j), columns_.step * O_);
      }
    });
  }

 private:
  struct Run {
    int64_t column, k, K;  // the strip column where it begins, its first row of B, its length
  };

  // Where row (v, u, c) of B lies in the weights.
  std::vector<int64_t> weight_rows(const WeightStrides& s) const {
    std::vector<int64_t> at;
    for (int64_t v : columns_.tap)
      for (int64_t u : rows_.tap)
        for (int64_t c = 0; c < Cg_; ++c) at.push_back(u * s.row + v * s.column + c * s.channel);
    return at;
  }

  int64_t strip_size(int64_t length) const {
    return ((length - 1) * columns_.source_step + reach_) * U_ * Cg_;
  }

  // The longest that keeps the strip in half of a small L2 cache; even, for pooling.
  void choose_length() {
    length_ = 8 * tile_rows();
    while (length_ > 2 * tile_rows() && strip_size(length_) * int64_t(sizeof(T)) > 256 << 10)
      length_ -= 2 * tile_rows();
  }

  T* place(int64_t n, int64_t i, int64_t j) const {
    return y_ +
           ((n * Hy_ + rows_.first + i * rows_.step) * Wy_ + columns_.first + j * columns_.step) *
               O_;
  }

  // `count` outputs of row i from column j on, into c.
  void block(int64_t n, int64_t i, int64_t j, int64_t count, T* strip, T* c, int64_t c_row) const {
    const int64_t width = (count - 1) * columns_.source_step + reach_;
    const int64_t left = reach_ ? j * columns_.source_step + columns_.offset[0] : 0;
    Block<T> block;
    block.M = count;
    block.N = Og_;
    block.a_row = columns_.source_step * U_ * Cg_;
    block.c_row = c_row;
    block.act = epilogue_.act;
    block.slope = T(epilogue_.slope);
    block.stream = stream_;
    for (int g = 0; g < groups_; ++g) {
      const StripSource<T> source{x_ + n * H_ * W_ * C_ + g * Cg_, H_, W_, C_, Cg_};
      fill_strip(source, i * rows_.source_step, rows_.offset, left, width, strip);
      block.c = c + g * Og_;
      block.bias = epilogue_.bias ? epilogue_.bias->data<T>() + g * Og_ : nullptr;
      block.accumulate = false;
      for (const Run& run : runs_)
        for (int64_t k = 0; k < run.K; k += chunk_rows) {
          panels_[g].use(run.k + k, std::min(chunk_rows, run.K - k), 0, block);
          block.a = strip + run.column * U_ * Cg_ + k;
          block.finish = run.k + k + block.K == panels_[g].K();
          multiply_block(block);
          block.accumulate = true;
        }
      if (runs_.empty()) {  // no tap reaches these outputs
        block.finish = true;
        multiply_block(block);
      }
    }
  }

  // `count` columns of rows 2i and 2i+1 of the sum, into count / 2 pooled outputs.
  void pooled(int64_t n, int64_t i, int64_t j, int64_t count, T* strip, T* band) const {
    T *top = band, *bottom = band + length_ * O_;
    block(n, 2 * i, j, count, strip, top, O_);
    block(n, 2 * i + 1, j, count, strip, bottom, O_);
    T* to = y_ + ((n * Hy_ + i) * Wy_ + j / 2) * O_;
    for (int64_t q = 0; q + 1 < count; q += 2)
      for (int64_t o = 0; o < O_; ++o, ++to) {
        const T *t = top + q * O_ + o, *b = bottom + q * O_ + o;
        *to = std::max(std::max(t[0], t[O_]), std::max(b[0], b[O_]));
      }
  }

  const Axis &rows_, &columns_;
  const Epilogue& epilogue_;
  const bool stream_;
  const int groups_;
  const int64_t H_, W_, C_, Hy_, Wy_, O_, Cg_, Og_, U_;
  const T* x_;
  T* y_;
  std::vector<Panels<T>> panels_;
  std::vector<Run> runs_;
  int64_t reach_, length_;
};

}  // namespace

template <class T>
void gather(const Tensor& x, const T* w, const WeightStrides& strides, int groups, const Axis& rows,
            const Axis& columns, const Epilogue& epilogue, Tensor& y) {
  Gather<T>(x, w, strides, groups, rows, columns, epilogue, y).run(x.dim(0));
}

template void gather(const Tensor&, const float*, const WeightStrides&, int, const Axis&,
                     const Axis&, const Epilogue&, Tensor&);
template void gather(const Tensor&, const double*, const WeightStrides&, int, const Axis&,
                     const Axis&, const Epilogue&, Tensor&);

}  // namespace cairn
