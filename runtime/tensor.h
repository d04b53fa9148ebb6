#pragma once
// A tensor is a view: a shape, a type, and a share in one block of memory on one device.
//
//   contiguous   always: row-major, the last dimension fastest, no gaps
//   images       N x H x W x C (channels-last)
//   copying      copies the view, never the data; clone() copies the data
//   views        a reshape, or a range of the first dimension; nothing else
//   lifetime     the block goes back to its pool when the last view is gone
//   device       fixed at birth; to(device) makes a new tensor
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "runtime/device.h"
#include "runtime/dtype.h"
#include "runtime/shape.h"

namespace cairn {

class Tensor {
 public:
  Tensor() = default;  ///< undefined: no memory, defined() is false

  static Tensor empty(const Shape&, DType = DType::f32, Device = Device::cpu);
  /// On cpu, in memory that copies from a GPU need not wait for; in a build without CUDA as any.
  static Tensor pinned(const Shape&, DType = DType::f32);
  static Tensor zeros(const Shape&, DType = DType::f32, Device = Device::cpu);
  static Tensor full(const Shape&, double value, DType = DType::f32, Device = Device::cpu);
  /// From host values; `values.size()` must equal the shape's count.
  template <class T>
  static Tensor from(const Shape&, const std::vector<T>& values, Device = Device::cpu);
  /// Another tensor of the same device and, unless given, the same type and shape.
  Tensor empty_like() const { return empty(shape_, dtype_, device_); }
  Tensor empty_like(const Shape& s) const { return empty(s, dtype_, device_); }

  bool defined() const { return block_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int i) const { return shape_[i]; }
  int64_t count() const { return shape_.count(); }
  size_t bytes() const { return size_t(count()) * size_of(dtype_); }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }

  /// The elements. Throws an Error unless T is the tensor's type. Host code may follow the
  /// pointer on cpu and simt only.
  template <class T>
  T* data() {
    return static_cast<T*>(checked(DTypeOf<T>::value));
  }
  template <class T>
  const T* data() const {
    return static_cast<const T*>(checked(DTypeOf<T>::value));
  }
  void* raw() { return static_cast<char*>(block_.get()) + offset_; }
  const void* raw() const { return static_cast<const char*>(block_.get()) + offset_; }

  Tensor reshape(const Shape&) const;              ///< same count, same memory
  Tensor rows(int64_t begin, int64_t end) const;   ///< a range of the first dimension
  Tensor part(int64_t begin, const Shape&) const;  ///< of a rank-1 tensor: elements from `begin`
  Tensor to(Device) const;                         ///< itself if already there
  Tensor to(DType) const;                          ///< itself if already so; rounds to nearest
  Tensor clone() const;
  void copy_from(const Tensor&);  ///< same shape and type, any device
  void fill(double value);
  void zero();
  double item() const;  ///< of a tensor with one element
  template <class T>
  std::vector<T> values() const;  ///< a copy on the host

 private:
  void* checked(DType wanted) const;

  std::shared_ptr<void> block_;
  size_t offset_ = 0;
  Shape shape_{0};
  DType dtype_ = DType::f32;
  Device device_ = Device::cpu;
};

std::ostream& operator<<(std::ostream& out, const Tensor& t);  ///< f32[2,3] on cpu
/// "f32[2,3] u8[4]"; null and undefined ones are left out.
std::string types_and_shapes(std::initializer_list<const Tensor*> tensors);

/// Calls f(T{}) with the C++ type of a floating dtype: float or double.
template <class F>
decltype(auto) with_float(DType t, F&& f) {
  if (t == DType::f64) return f(double{});
  return f(float{});
}

}  // namespace cairn
