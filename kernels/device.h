#pragma once
// What a kernel file sees, and the only place that knows which compiler reads it: nvcc builds the
// device `cuda`, the host compiler builds the device `simt`, from the same .cu files.
//
//   CAIRN_KERNEL void f(...)       a kernel; CAIRN_DEVICE T g(...): a function that kernels call
//   CAIRN_BOUNDS(threads)          __launch_bounds__, between `void` and the kernel's name
//   launch("f", f, grid, block, dynamic_shared_bytes, args...)
//                                  runs it on Cairn's stream, checked; a grid of 0 blocks is
//                                  nothing
//   threadIdx blockIdx blockDim gridDim, warpSize
//   shared<T>(), dynamic_shared<T>()   one struct per kernel: the same T twice is the same memory
//   sync_threads(), sync_warp(mask)
//   shuffle, shuffle_down, shuffle_up, shuffle_xor (mask, value, lane or distance)
//   ballot, any, all (mask, predicate)
//   atomic_add, atomic_max         integers, and the maximum of floats that are not negative
//   arrives_last(counter, blocks)  true in the last of several blocks, which sees what they wrote
//   cp_async_16, cp_async_commit, cp_async_wait<N>     global to shared memory, 16 bytes a thread
//   ldmatrix_x4, ldmatrix_x4_trans, mma_tile, mma_tile_tf32, to_tf32    tensor cores
//   warpgroup_begin, warpgroup_mma, warpgroup_commit, warpgroup_wait    those of Hopper, in files
//                                  .sm90a.cu alone; transpose_8x8, copies_are_for_warpgroups
//   float_bits, bits_float, pack_bf16, popcount
//
// and, built on these below: global_thread, warp_sum, block_sum, load4, Pack. Functions of
// the host's <math.h> and rsqrtf are there on both. Every function that waits for other threads
// takes the place of its call (Site), so that simt can name it; a helper that waits passes its
// caller's on.
#include <math.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/dim3.h"
#include "runtime/bf16.h"
#include "runtime/host_device.h"
#include "runtime/tensor.h"
#ifdef __CUDACC__
#include "kernels/cuda/primitives.h"
#else
#include "kernels/simt/primitives.h"
#endif

namespace cairn::CAIRN_NS {

/// Blocks of `threads` that cover `count` elements, at most 65535: the kernel strides over the
/// rest.
inline Dim3 blocks_for(int64_t count, int threads) {
  return Dim3(std::min<int64_t>((count + threads - 1) / threads, 65535));
}

/// This thread's place in a one-dimensional grid, and the stride that covers everything:
///   for (int64_t i = global_thread(); i < count; i += global_threads())
CAIRN_DEVICE int64_t global_thread() { return int64_t(blockIdx.x) * blockDim.x + threadIdx.x; }
CAIRN_DEVICE int64_t global_threads() { return int64_t(gridDim.x) * blockDim.x; }

/// This thread's place in its block, x fastest; its lane and its warp follow from it.
CAIRN_DEVICE int thread_rank() {
  return int((threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x);
}
CAIRN_DEVICE int lane_index() { return thread_rank() % 32; }
CAIRN_DEVICE int warp_index() { return thread_rank() / 32; }

// ---- reductions --------------------------------------------------------------------------------

// All threads get the result. The order is fixed, so it is the same to the bit every time.

template <class T>
CAIRN_DEVICE T warp_sum(T v, Site site = Site::current()) {
  return warp_reduce(
      v, [](T a, T b) { return a + b; }, site);
}
template <class T>
CAIRN_DEVICE T warp_max(T v, Site site = Site::current()) {
  return warp_reduce(
      v, [](T a, T b) { return a < b ? b : a; }, site);
}

template <class T, int Warps>
struct BlockReduceScratch {
  T warp[Warps];
};

/// `op` must be commutative. `Threads` is the size of the block, a multiple of 32.
template <int Threads, class T, class Op>
CAIRN_DEVICE T block_reduce(T v, Op op, Site site = Site::current()) {
  static_assert(Threads % 32 == 0);
  constexpr int warps = Threads / 32;
  auto& scratch = shared<BlockReduceScratch<T, warps>>();
  v = warp_reduce(v, op, site);
  if (lane_index() == 0) scratch.warp[warp_index()] = v;
  sync_threads(site);
  v = scratch.warp[0];
  for (int w = 1; w < warps; ++w) v = op(v, scratch.warp[w]);
  sync_threads(site);  // the scratch may be written again
  return v;
}
template <int Threads, class T>
CAIRN_DEVICE T block_sum(T v, Site site = Site::current()) {
  return block_reduce<Threads>(
      v, [](T a, T b) { return a + b; }, site);
}
template <int Threads, class T>
CAIRN_DEVICE T block_max(T v, Site site = Site::current()) {
  return block_reduce<Threads>(
      v, [](T a, T b) { return a < b ? b : a; }, site);
}

// ---- types -------------------------------------------------------------------------------------

/// What numbers of type T are computed and summed in: float for bf16, otherwise T.
template <class T>
using Sum = std::conditional_t<std::is_same_v<T, bf16>, float, T>;

/// The same for tensors.
inline DType sum_type(DType type) { return type == DType::bf16 ? DType::f32 : type; }

/// Calls f(T{}) with the type of an op's tensors: float, double or bf16.
template <class F>
void with_real(DType type, F&& f) {
  if (type == DType::bf16)
    f(bf16{});
  else
    with_float(type, f);
}

// ---- vector loads and stores -------------------------------------------------------------------

/// N elements that are moved at once, 16 bytes at a time; addresses are multiples of its size, or
/// of 16.
template <class T, int N>
struct [[gnu::may_alias]] alignas(std::min<size_t>(sizeof(T) * N, 16)) Pack {
  T v[N];
  CAIRN_DEVICE_MEMBER T& operator[](int i) { return v[i]; }
  CAIRN_DEVICE_MEMBER const T& operator[](int i) const { return v[i]; }
};

template <int N, class T>
CAIRN_DEVICE Pack<T, N> load_pack(const T* p, Site site = Site::current()) {
  return *aligned<Pack<T, N>>(p, site);
}
template <int N, class T>
CAIRN_DEVICE void store_pack(T* p, const Pack<T, N>& value, Site site = Site::current()) {
  *aligned<Pack<T, N>>(p, site) = value;
}

/// The same in the type that T is computed in: bf16 is widened as it is read, rounded as written.
template <int N, class T>
CAIRN_DEVICE Pack<Sum<T>, N> load_wide(const T* p, Site site = Site::current()) {
  const Pack<T, N> stored = load_pack<N>(p, site);
  Pack<Sum<T>, N> wide;
#pragma unroll
  for (int i = 0; i < N; ++i) wide[i] = Sum<T>(stored[i]);
  return wide;
}
template <int N, class T>
CAIRN_DEVICE void store_rounded(T* p, const Pack<Sum<T>, N>& value, Site site = Site::current()) {
  Pack<T, N> rounded;
#pragma unroll
  for (int i = 0; i < N; ++i) rounded[i] = T(value[i]);
  store_pack(p, rounded, site);
}

/// Calls f with how many of `count` neighbouring elements a thread moves at once, as an
/// integral_constant: 4 where they divide so, or 1.
template <class F>
void with_pack_size(int64_t count, F&& f) {
  if (count % 4 == 0)
    f(std::integral_constant<int, 4>());
  else
    f(std::integral_constant<int, 1>());
}

/// Calls f(T{}, V) with the type of an op's tensors, float or double, and the pack size for
/// `count`.
template <class F>
void with_packs(DType type, int64_t count, F&& f) {
  with_float(type,
             [&](auto t) { with_pack_size(count, [&](auto pack_size) { f(t, pack_size); }); });
}

/// The same for an op that also takes bf16, 16 bytes of which are 8: packs of 8 or 1.
template <class F>
void with_real_packs(DType type, int64_t count, F&& f) {
  if (type != DType::bf16) return with_packs(type, count, f);
  if (count % 8 == 0)
    f(bf16{}, std::integral_constant<int, 8>());
  else
    f(bf16{}, std::integral_constant<int, 1>());
}

/// How many runs of V elements the arrays of `count` have; none unless all begin on 16 bytes.
template <int V, class... T>
int64_t aligned_runs(int64_t count, const T*... arrays) {
  return (reinterpret_cast<uintptr_t>(arrays) | ...) % 16 ? 0 : count / V;
}

/// f(i, N) for runs of N elements that begin at i and together are all of 0 .. count: the first
/// `runs` are of V, those that remain of 1. N is an integral_constant.
template <int V, class F>
CAIRN_DEVICE void for_each_run(int64_t runs, int64_t count, const F& f) {
  for (int64_t i = global_thread(); i < runs; i += global_threads())
    f(i * V, std::integral_constant<int, V>());
  for (int64_t i = runs * V + global_thread(); i < count; i += global_threads())
    f(i, std::integral_constant<int, 1>());
}

struct [[gnu::may_alias]] alignas(8) Float2 {
  float x, y;
};
struct [[gnu::may_alias]] alignas(16) Float4 {
  float x, y, z, w;
};
struct [[gnu::may_alias]] alignas(16) UInt4 {
  unsigned x, y, z, w;
};

CAIRN_DEVICE Float2 load2(const float* p, Site s = Site::current()) {
  return *aligned<Float2>(p, s);
}
CAIRN_DEVICE Float4 load4(const float* p, Site s = Site::current()) {
  return *aligned<Float4>(p, s);
}
CAIRN_DEVICE UInt4 load4(const unsigned* p, Site s = Site::current()) {
  return *aligned<UInt4>(p, s);
}
CAIRN_DEVICE void store4(float* p, Float4 v, Site s = Site::current()) {
  *aligned<Float4>(p, s) = v;
}
CAIRN_DEVICE void store4(unsigned* p, UInt4 v, Site s = Site::current()) {
  *aligned<UInt4>(p, s) = v;
}

}  // namespace cairn::CAIRN_NS
