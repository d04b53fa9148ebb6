#pragma once
// What the families of the table share: tensors of a row, and how a row is added.
#include <algorithm>

#include "runtime/error.h"
#include "runtime/random.h"
#include "runtime/tensor.h"
#include "tools/kernel_table.h"

namespace cairn {

struct KernelWork {
  double bytes = 0, flops = 0;
  double moved = -1;  ///< -1: bytes
  bool at_most = false;
  double partials = 0.01;
  DType type = DType::f32;
};

/// What the names of rows in a type end in.
inline const char* suffix(DType type) { return type == DType::bf16 ? " bf16" : ""; }

class TableMaker {
 public:
  TableMaker(Device device, KernelSizes sizes, const std::function<void(const KernelRow&)>& visit)
      : device_(device), sizes_(sizes), visit_(visit) {}

  bool on_gpu() const { return sizes_ == KernelSizes::gpu || sizes_ == KernelSizes::predicted; }
  bool on_simt() const { return sizes_ == KernelSizes::simt; }
  bool on_cpu() const { return sizes_ == KernelSizes::cpu; }

  /// A number of images, or of whatever there are many.
  int64_t many(int64_t on_cpu, int64_t on_gpu_) const {
    return on_simt() ? std::min<int64_t>(on_cpu, 2) : on_gpu() ? on_gpu_ : on_cpu;
  }
  /// The side of an image.
  int64_t side(int64_t n) const { return on_simt() ? std::max<int64_t>(n / 8, 1) : n; }

  /// Numbers that repeat from the millionth on: gigabytes of new ones would take a host long.
  Tensor random(const Shape& shape, double low = -1, double high = 1,
                DType type = DType::f32) const {
    if (sizes_ == KernelSizes::predicted) return Tensor::empty(shape, type);
    Tensor drawn = Tensor::empty({std::min(shape.count(), period)});
    Random r(3);
    for (int64_t i = 0; i < drawn.count(); ++i)
      drawn.data<float>()[i] = float(r.uniform(low, high));
    drawn = drawn.to(type);
    Tensor t = Tensor::empty(shape, type, device_), flat = t.reshape({shape.count()});
    for (int64_t i = 0; i < flat.count(); i += period) {
      const Shape rest{std::min(flat.count() - i, period)};
      flat.part(i, rest).copy_from(drawn.part(0, rest));
    }
    return t;
  }
  Tensor empty(const Shape& shape, DType type = DType::f32) const {
    return Tensor::empty(shape, type, device_);
  }
  template <class T>
  Tensor values(const Shape& shape, const std::vector<T>& v) const {
    return Tensor::from<T>(shape, v, device_);
  }

  /// `name` begins with the op's.
  void add(
      const std::string& name, const Shape& shape, const KernelWork& work,
      std::function<void()> run, std::function<void()> prepare = [] {}) const {
    visit_({name.substr(0, name.find(' ')), name, text(shape), work.bytes, work.flops, work.type,
            work.moved < 0 ? work.bytes : work.moved, work.at_most, work.partials,
            std::move(prepare), std::move(run)});
  }

 private:
  static constexpr int64_t period = 1'000'003;

  Device device_;
  KernelSizes sizes_;
  const std::function<void(const KernelRow&)>& visit_;
};

void table_of_elementwise(const TableMaker& m);  // with norms and pools
void table_of_products(const TableMaker& m);     // with convolutions
void table_of_optimizers(const TableMaker& m);
void table_of_losses(const TableMaker& m);
void table_of_heatmaps(const TableMaker& m);
void table_of_landmarks(const TableMaker& m);
void table_of_descriptors(const TableMaker& m);
void table_of_points(const TableMaker& m);
void table_of_warps(const TableMaker& m);

}  // namespace cairn
