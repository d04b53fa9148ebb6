#include "runtime/tensor.h"

#include <cstring>

#include "runtime/cuda.h"
#include "runtime/error.h"
#include "runtime/graph.h"
#include "runtime/memory.h"

namespace cairn {
namespace {

void copy_bytes(void* to, Device to_device, const void* from, Device from_device, size_t bytes) {
  if (bytes == 0) return;
  if (to_device != from_device && (capture::running(to_device) || capture::running(from_device))) {
    capture::refuse(to_device, text(bytes, " bytes are copied from ", from_device));
    capture::refuse(from_device, text(bytes, " bytes are copied to ", to_device));
  }
  if (to_device == Device::cpu && from_device == Device::cpu) {
    std::memcpy(to, from, bytes);
    return;
  }
  const ProfileRange range(Work::copy, "copy to ", name(to_device));
  range.note("bytes", int64_t(bytes));
  if (to_device != Device::cuda && from_device != Device::cuda) {
    capture::run(to_device, [=] { std::memcpy(to, from, bytes); });
    return;
  }
  if constexpr (build::has_cuda) {
    range.also_on(Device::cuda);
    using cuda::Copy;
    const Copy kind = to_device != Device::cuda     ? Copy::to_host
                      : from_device != Device::cuda ? Copy::to_device
                                                    : Copy::on_device;
    cuda::copy(to, from, bytes, kind);
  }
}

template <class F>
decltype(auto) with_type(DType t, F&& f) {
  switch (t) {
    case DType::f64:
      return f(double{});
    case DType::bf16:
      return f(bf16{});
    case DType::i32:
      return f(int32_t{});
    case DType::u8:
      return f(uint8_t{});
    default:
      return f(float{});
  }
}

template <class T>
T from_double(double v) {
  if constexpr (std::is_same_v<T, bf16>)
    return bf16(float(v));
  else
    return T(v);
}

template <class T>
double to_double(T v) {
  if constexpr (std::is_same_v<T, bf16>)
    return float(v);
  else
    return double(v);
}

}  // namespace

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device) {
  Tensor t;
  t.shape_ = shape;
  t.dtype_ = dtype;
  t.device_ = device;
  t.block_ = memory(device).allocate(t.bytes());
  return t;
}

Tensor Tensor::pinned(const Shape& shape, DType dtype) {
  if constexpr (build::has_cuda) {
    Tensor t;
    t.shape_ = shape;
    t.dtype_ = dtype;
    t.block_ = std::shared_ptr<void>(cuda::allocate_pinned(std::max<size_t>(t.bytes(), 1)),
                                     cuda::release_pinned);
    return t;
  }
  return empty(shape, dtype);
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Device device) {
  Tensor t = empty(shape, dtype, device);
  t.zero();
  return t;
}

Tensor Tensor::full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor t = empty(shape, dtype, device);
  t.fill(value);
  return t;
}

template <class T>
Tensor Tensor::from(const Shape& shape, const std::vector<T>& values, Device device) {
  if (int64_t(values.size()) != shape.count())
    throw Error("tensor", text(values.size(), " values for shape ", shape),
                text(shape.count(), " values"), "give one value per element");
  Tensor t = empty(shape, DTypeOf<T>::value, device);
  copy_bytes(t.raw(), device, values.data(), Device::cpu, t.bytes());
  return t;
}

template <class T>
std::vector<T> Tensor::values() const {
  checked(DTypeOf<T>::value);
  std::vector<T> out(count());
  copy_bytes(out.data(), Device::cpu, raw(), device_, bytes());
  return out;
}

#define CAIRN_INSTANTIATE(T)                                                    \
  template Tensor Tensor::from<T>(const Shape&, const std::vector<T>&, Device); \
  template std::vector<T> Tensor::values<T>() const;
CAIRN_INSTANTIATE(float)
CAIRN_INSTANTIATE(double)
CAIRN_INSTANTIATE(bf16)
CAIRN_INSTANTIATE(int32_t)
CAIRN_INSTANTIATE(uint8_t)
#undef CAIRN_INSTANTIATE

void* Tensor::checked(DType wanted) const {
  if (!defined())
    throw Error("tensor", "it is undefined", "a tensor with memory", "make it with Tensor::empty");
  if (wanted != dtype_)
    throw Error("tensor", text("its type is ", dtype_), text("type ", wanted),
                "convert it with to(dtype)");
  return static_cast<char*>(block_.get()) + offset_;
}

Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.count() != count())
    throw Error("reshape", text(shape_, " to ", shape), text(count(), " elements on both sides"),
                "check the sizes");
  Tensor t = *this;
  t.shape_ = shape;
  return t;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  if (rank() == 0 || begin < 0 || end < begin || end > dim(0))
    throw Error("rows", text("range ", begin, "..", end, " of ", shape_),
                "a range within the first dimension", "check the range");
  std::vector<int64_t> dims(shape_.begin(), shape_.end());
  dims[0] = 1;
  const int64_t row = Shape(dims).count();
  dims[0] = end - begin;
  Tensor t = *this;
  t.shape_ = Shape(dims);
  t.offset_ += size_t(begin * row) * size_of(dtype_);
  return t;
}

Tensor Tensor::part(int64_t begin, const Shape& shape) const {
  return rows(begin, begin + shape.count()).reshape(shape);
}

Tensor Tensor::to(Device device) const {
  if (device == device_) return *this;
  Tensor t = empty(shape_, dtype_, device);
  t.copy_from(*this);
  return t;
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == dtype_) return *this;
  const Tensor source = to(Device::cpu);
  Tensor target = empty(shape_, dtype, Device::cpu);
  with_type(dtype_, [&](auto from) {
    with_type(dtype, [&](auto to) {
      const auto* in = source.data<decltype(from)>();
      auto* out = target.data<decltype(to)>();
      for (int64_t i = 0; i < count(); ++i) out[i] = from_double<decltype(to)>(to_double(in[i]));
    });
  });
  return target.to(device_);
}

Tensor Tensor::clone() const {
  Tensor t = empty_like();
  t.copy_from(*this);
  return t;
}

void Tensor::copy_from(const Tensor& other) {
  if (other.shape_ != shape_ || other.dtype_ != dtype_)
    throw Error("copy", text(other, " into ", *this), "the same shape and type",
                "reshape or convert");
  copy_bytes(raw(), device_, other.raw(), other.device_, bytes());
}

void Tensor::zero() {
  if (bytes() == 0) return;
  if (device_ != Device::cuda) {
    capture::run(device_, [p = raw(), n = bytes()] { std::memset(p, 0, n); });
    return;
  }
  const OpScope scope("zero", device_);
  if constexpr (build::has_cuda) cuda::fill(raw(), 0, bytes());
}

void Tensor::fill(double value) {
  with_type(dtype_, [&](auto type) {
    using T = decltype(type);
    const T element = from_double<T>(value);
    T* p = data<T>();
    if (device_ != Device::cuda) {
      capture::run(device_, [p, n = count(), element] { std::fill_n(p, n, element); });
      return;
    }
    if constexpr (build::has_cuda) cuda::fill(p, &element, sizeof(T), count());
  });
}

double Tensor::item() const {
  if (count() != 1)
    throw Error("item", text("the tensor has ", count(), " elements"), "exactly one",
                "index it first");
  const Tensor t = to(Device::cpu);
  return with_type(dtype_, [&](auto type) { return to_double(t.data<decltype(type)>()[0]); });
}

std::ostream& operator<<(std::ostream& out, const Tensor& t) {
  if (!t.defined()) return out << "undefined";
  return out << t.dtype() << t.shape() << " on " << t.device();
}

std::string types_and_shapes(std::initializer_list<const Tensor*> tensors) {
  std::string all;
  for (const Tensor* t : tensors)
    if (t && t->defined()) all += text(all.empty() ? "" : " ", t->dtype(), t->shape());
  return all;
}

}  // namespace cairn
