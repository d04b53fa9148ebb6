#pragma once
// The dimensions of a tensor: up to six, row-major, the last one fastest.
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>

namespace cairn {

class Shape {
 public:
  static constexpr int max_rank = 6;

  Shape() = default;  ///< rank 0: one element
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  /// Throws an Error on more than six dimensions, a negative one, or a product beyond int64.
  explicit Shape(std::span<const int64_t> dims);

  int rank() const { return rank_; }
  /// Dimension i; negative i counts from the end.
  int64_t operator[](int i) const { return dims_[i < 0 ? i + rank_ : i]; }
  /// Number of elements: 1 for rank 0, 0 if any dimension is 0.
  int64_t count() const;
  const int64_t* begin() const { return dims_; }
  const int64_t* end() const { return dims_ + rank_; }
  bool operator==(const Shape& other) const;

 private:
  int rank_ = 0;
  int64_t dims_[max_rank] = {};
};

std::ostream& operator<<(std::ostream& out, const Shape& s);  ///< [2,3,5]

}  // namespace cairn
