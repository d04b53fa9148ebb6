#pragma once
// What runtime/cudnn.cpp describes to the library: one descriptor, and the graph of a convolution.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/cudnn.h"

namespace cairn::cudnn {

/// The tensors of a graph. Those between two operations are virtual: they are never in memory.
enum Uid : int64_t { uid_x = 1, uid_w, uid_y, uid_bias, uid_sum, uid_biased };

/// The library cannot do what it was asked for.
struct Unsupported {};

/// A descriptor of cuDNN: attributes are set, then it is finalized. Throws Unsupported.
class Descriptor {
 public:
  Descriptor(const Functions& f, int type) : f_(&f) {
    void* made = nullptr;
    check(f.BackendCreateDescriptor(type, &made));
    held_ = std::shared_ptr<void>(made, f.BackendDestroyDescriptor);
  }

  void set(int attribute, int type, const auto* values, int64_t count) {
    check(f_->BackendSetAttribute(held_.get(), attribute, type, count, values));
  }
  void set(int attribute, int type, auto value) { set(attribute, type, &value, 1); }
  void set(int attribute, const std::vector<int64_t>& values) {
    set(attribute, TYPE_INT64, values.data(), int64_t(values.size()));
  }
  void set(int attribute, const Descriptor& d) {
    set(attribute, TYPE_BACKEND_DESCRIPTOR, d.held_.get());
  }
  Descriptor& finalize() {
    check(f_->BackendFinalize(held_.get()));
    return *this;
  }

  /// As many of the values as there are, at most `room`.
  template <class T>
  std::vector<T> get(int attribute, int type, int64_t room) const {
    std::vector<T> values(static_cast<size_t>(room));
    int64_t count = 0;
    check(f_->BackendGetAttribute(held_.get(), attribute, type, room, &count, values.data()));
    values.resize(size_t(std::min(count, room)));
    return values;
  }
  /// Lets the library fill descriptors that were made for it.
  int64_t get(int attribute, std::vector<Descriptor>& into) const {
    std::vector<void*> raw;
    for (const Descriptor& d : into) raw.push_back(d.held_.get());
    int64_t count = 0;
    check(f_->BackendGetAttribute(held_.get(), attribute, TYPE_BACKEND_DESCRIPTOR,
                                  int64_t(raw.size()), &count, raw.data()));
    return std::min(count, int64_t(raw.size()));
  }

  const std::shared_ptr<void>& held() const { return held_; }

 private:
  static void check(int status) {
    if (status != STATUS_SUCCESS) throw Unsupported();
  }
  const Functions* f_;
  std::shared_ptr<void> held_;
};

/// The graph of a convolution, with all that it refers to.
class Graph {
 public:
  /// Throws Unsupported. Without a GPU `handle` may be null, which cuDNN 9.19 accepts.
  Graph(const Functions& f, void* handle, const CudnnConvolution& p);

  const Descriptor& descriptor() const { return all_.back(); }

 private:
  Descriptor keep(const Descriptor& d);
  Descriptor convolution();
  Descriptor tensor(int64_t uid, int type, const std::vector<int64_t>& sizes,
                    const std::vector<int64_t>& strides, bool is_virtual);
  Descriptor image(int64_t uid, int type, int64_t H, int64_t W, int64_t C, bool is_virtual = false);
  Descriptor between(int64_t uid);
  Descriptor weights(int type);
  void operation(int type, const std::vector<std::pair<int, const Descriptor*>>& operands,
                 int alpha, int beta);
  void pointwise(int mode, const Descriptor& in, const Descriptor* with, const Descriptor& out);

  const Functions& f_;
  const CudnnConvolution p_;
  std::vector<Descriptor> all_, operations_;
};

}  // namespace cairn::cudnn
