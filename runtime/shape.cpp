#include "runtime/shape.h"

#include <algorithm>

#include "runtime/error.h"

namespace cairn {

Shape::Shape(std::span<const int64_t> dims) {
  if (dims.size() > size_t(max_rank))
    throw Error("shape", text(dims.size(), " dimensions"), text("at most ", max_rank),
                "join dimensions that are always used together");
  rank_ = int(dims.size());
  __int128 product = 1;
  for (int i = 0; i < rank_; ++i) {
    dims_[i] = dims[i];
    if (dims[i] < 0)
      throw Error("shape", text("dimension ", i, " is ", dims[i]), "dimensions of 0 or more",
                  "check the sizes it was computed from");
    product *= std::max<int64_t>(dims[i], 1);
    if (product > INT64_MAX / 16)
      throw Error("shape", "the number of elements does not fit 64 bits",
                  "a tensor that fits memory", "check the sizes it was computed from");
  }
}

int64_t Shape::count() const {
  int64_t n = 1;
  for (int64_t d : *this) n *= d;
  return n;
}

bool Shape::operator==(const Shape& other) const {
  return std::equal(begin(), end(), other.begin(), other.end());
}

std::ostream& operator<<(std::ostream& out, const Shape& s) {
  out << '[';
  for (int i = 0; i < s.rank(); ++i) out << (i ? "," : "") << s[i];
  return out << ']';
}

}  // namespace cairn
