#include "runtime/layout.h"

#include "runtime/error.h"

namespace cairn {
namespace {

// For each of A: rows x cols -> cols x rows.
template <class T>
void transpose(const void* from, void* to, int64_t A, int64_t rows, int64_t cols) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  for (int64_t a = 0; a < A; ++a, x += rows * cols)
    for (int64_t c = 0; c < cols; ++c)
      for (int64_t r = 0; r < rows; ++r) *y++ = x[r * cols + c];
}

Tensor permuted(const Tensor& t, const char* name, bool to_first) {
  if (t.rank() != 4)
    throw Error(name, text("the tensor is ", t), "four dimensions",
                "reshape it; a single image is a batch of one");
  const Tensor x = t.to(Device::cpu);
  const Shape& s = x.shape();
  Tensor y = Tensor::empty(to_first ? Shape{s[0], s[3], s[1], s[2]} : Shape{s[0], s[2], s[3], s[1]},
                           x.dtype());
  const int64_t rows = to_first ? s[1] * s[2] : s[1], cols = to_first ? s[3] : s[2] * s[3];
  switch (size_of(x.dtype())) {
    case 1:
      transpose<uint8_t>(x.raw(), y.raw(), s[0], rows, cols);
      break;
    case 2:
      transpose<uint16_t>(x.raw(), y.raw(), s[0], rows, cols);
      break;
    case 4:
      transpose<uint32_t>(x.raw(), y.raw(), s[0], rows, cols);
      break;
    case 8:
      transpose<uint64_t>(x.raw(), y.raw(), s[0], rows, cols);
      break;
  }
  return y;
}

}  // namespace

Tensor channels_first(const Tensor& t) { return permuted(t, "channels_first", true); }
Tensor channels_last(const Tensor& t) { return permuted(t, "channels_last", false); }

}  // namespace cairn
