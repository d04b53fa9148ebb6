#pragma once
// The inner loops of max_pool, along the channels of pixels.
#include <cstdint>

#include "kernels/isa.h"

namespace cairn {

/// y[c] = the largest of a window's elements, index[c] (unless null) its number.
template <class T>
struct PoolWindow {
  const T* x;          // the window's first element inside of the image
  int rows, columns;   // what of the window is inside
  int first_tap;       // the number of its first element
  int size;            // from one row of the window to the next the number grows by `size`,
  int64_t row_length;  // and the address by `row_length`
  int64_t C;
  T* y;
  uint8_t* index;
};

/// dx[c] = dy[c] where index[c] is `tap`, else 0; added if `more`.
template <class T>
struct PoolTap {
  const T* dy;
  const uint8_t* index;
  uint8_t tap;
  bool more;
  int64_t C;
  T* dx;
};

CAIRN_ON_EACH_ISA(void pool_window(const PoolWindow<float>&);
                  void pool_window(const PoolWindow<double>&);
                  void pool_give_back(const PoolTap<float>&);
                  void pool_give_back(const PoolTap<double>&);)

}  // namespace cairn
