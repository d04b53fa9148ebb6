#pragma once
// The primitives of kernels/device.h for the host compiler: the twins of kernels/cuda/primitives.h,
// in the same order. What waits for other threads calls the emulator (kernels/simt/emulator.h).
#include <bit>
#include <cstdio>
#include <tuple>

#include "kernels/simt/emulator.h"

#define CAIRN_KERNEL static
#define CAIRN_DEVICE inline
#define CAIRN_DEVICE_MEMBER
#define CAIRN_BOUNDS(...)

namespace cairn::simt {

using emulator::blockDim;
using emulator::blockIdx;
using emulator::gridDim;
using emulator::Site;
using emulator::threadIdx;
using std::max;
using std::min;
constexpr int warpSize = 32;
constexpr unsigned full_warp = 0xffffffffu;

template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), Dim3 grid, Dim3 block,
            size_t dynamic_shared, Arguments&&... arguments) {
  const std::tuple<Parameters...> parameters(static_cast<Parameters>(arguments)...);
  emulator::run({name, grid, block, dynamic_shared,
                 [kernel, parameters] { std::apply(kernel, parameters); }});
}

// ---- shared memory -----------------------------------------------------------------------------

template <class T>
T& shared(Site site = Site::current()) {
  static_assert(std::is_trivially_default_constructible_v<T>, "nobody would construct it");
  static char key;  // its address stands for the type
  return *static_cast<T*>(emulator::shared_memory(&key, sizeof(T), site));
}
template <class T>
T* dynamic_shared() {
  return static_cast<T*>(emulator::dynamic_shared_memory());
}

// ---- waiting for each other --------------------------------------------------------------------

inline void sync_threads(Site site = Site::current()) { emulator::sync_block(site); }
inline void sync_warp(unsigned mask = full_warp, Site site = Site::current()) {
  emulator::sync_warp(mask, site);
}

/// Gives each lane of `mask` the value of the lane that `source(own lane)` names; its own if that
/// is not in 0..31.
template <class T, class Source>
T exchange(const char* name, unsigned mask, T v, Source source, Site site) {
  struct Deposit {
    T value, result;
    int source;
  } mine{v, v, source(emulator::lane())};
  if (void** lanes = emulator::meet(name, mask, &mine, site)) {
    for (int i = 0; i < 32; ++i) {
      if (!(mask >> i & 1)) continue;
      auto& lane = *static_cast<Deposit*>(lanes[i]);
      if (lane.source < 0 || lane.source > 31) continue;
      if (!(mask >> lane.source & 1)) emulator::outside_mask(name, i, lane.source, mask, site);
      lane.result = static_cast<Deposit*>(lanes[lane.source])->value;
    }
    emulator::part();
  }
  return mine.result;
}
template <class T>
T shuffle(unsigned mask, T v, int lane, Site site = Site::current()) {
  return exchange(
      "shuffle", mask, v, [=](int) { return lane & 31; }, site);
}
template <class T>
T shuffle_down(unsigned mask, T v, unsigned distance, Site site = Site::current()) {
  return exchange(
      "shuffle_down", mask, v, [=](int own) { return own + int(distance); }, site);
}
template <class T>
T shuffle_up(unsigned mask, T v, unsigned distance, Site site = Site::current()) {
  return exchange(
      "shuffle_up", mask, v, [=](int own) { return own - int(distance); }, site);
}
template <class T>
T shuffle_xor(unsigned mask, T v, int lane_mask, Site site = Site::current()) {
  return exchange(
      "shuffle_xor", mask, v, [=](int own) { return own ^ lane_mask; }, site);
}

inline unsigned ballot(unsigned mask, bool p, Site site = Site::current()) {
  return emulator::vote("ballot", mask, p, site);
}
inline bool any(unsigned mask, bool p, Site site = Site::current()) {
  return emulator::vote("any", mask, p, site) != 0;
}
inline bool all(unsigned mask, bool p, Site site = Site::current()) {
  return emulator::vote("all", mask, p, site) == mask;
}

/// The butterfly of the other twin, in one meeting: the same sums in the same order.
template <class T, class Op>
T warp_reduce(T v, Op op, Site site) {
  T mine = v;
  if (void** lanes = emulator::meet("warp_reduce", full_warp, &mine, site)) {
    T now[32], next[32];
    for (int i = 0; i < 32; ++i) now[i] = *static_cast<T*>(lanes[i]);
    for (int d = 16; d; d /= 2) {
      for (int i = 0; i < 32; ++i) next[i] = op(now[i], now[i ^ d]);
      std::copy(next, next + 32, now);
    }
    for (int i = 0; i < 32; ++i) *static_cast<T*>(lanes[i]) = now[i];
    emulator::part();
  }
  return mine;
}

// ---- atomics: relaxed, return the old value ----------------------------------------------------

inline int atomic_add(int* p, int v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); }
inline unsigned atomic_add(unsigned* p, unsigned v) {
  return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}
inline unsigned long long atomic_add(unsigned long long* p, unsigned long long v) {
  return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}
inline int64_t atomic_add(int64_t* p, int64_t v) {
  return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}
inline int atomic_max(int* p, int v) {
  int old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (old < v &&
         !__atomic_compare_exchange_n(p, &old, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
inline unsigned long long atomic_max(unsigned long long* p, unsigned long long v) {
  unsigned long long old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (old < v &&
         !__atomic_compare_exchange_n(p, &old, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
/// *p and v must not be negative: their bits then compare as integers.
inline float atomic_max(float* p, float v) {
  using Bits [[gnu::may_alias]] = int;
  return std::bit_cast<float>(atomic_max(reinterpret_cast<Bits*>(p), std::bit_cast<int>(v)));
}

/// Of `blocks` blocks that call this with one counter, 0 at the launch, the last to arrive gets
/// true, in all threads, and sees what the others wrote before they arrived.
inline bool arrives_last(int* counter, int blocks, Site site = Site::current()) {
  struct Answer {
    bool last;
  };
  auto& answer = shared<Answer>(site);
  sync_threads(site);
  if (threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == 0)
    answer.last = emulator::arrive(counter, blocks);
  sync_threads(site);
  return answer.last;
}

// ---- asynchronous copies -----------------------------------------------------------------------

/// 16 bytes from global to shared memory; zeros if not `inside` (the source is then not read).
inline void cp_async_16(void* to, const void* from, bool inside = true,
                        Site site = Site::current()) {
  emulator::copy_16_later(to, inside ? from : nullptr, site);
}
inline void cp_async_commit() { emulator::commit_copies(); }
/// Waits until at most N of this thread's groups are under way. Others see them after a barrier.
template <int N>
void cp_async_wait(Site site = Site::current()) {
  emulator::wait_for_copies(N, site);
}

// ---- tensor cores ------------------------------------------------------------------------------

/// Four 8x8 matrices of 16-bit elements; lane 8i + r brings the address of row r of matrix i.
inline void ldmatrix_x4(unsigned& r0, unsigned& r1, unsigned& r2, unsigned& r3, const void* row,
                        Site site = Site::current()) {
  emulator::load_matrices({&r0, &r1, &r2, &r3}, row, false, site);
}
inline void ldmatrix_x4_trans(unsigned& r0, unsigned& r1, unsigned& r2, unsigned& r3,
                              const void* row, Site site = Site::current()) {
  emulator::load_matrices({&r0, &r1, &r2, &r3}, row, true, site);
}

/// acc[i][j] += a[i] b[j] for all i, j: I x J tiles m16n8k16, bf16 times bf16 into float32.
template <int I, int J>
void mma_tile(float (&acc)[I][J][4], const unsigned (&a)[I][4], const unsigned (&b)[J][2],
              Site site = Site::current()) {
  emulator::multiply({&acc[0][0][0], &a[0][0], &b[0][0], I, J, false}, site);
}

/// The same with tiles m16n8k8 of tf32 (the bits of floats rounded by to_tf32).
template <int I, int J>
void mma_tile_tf32(float (&acc)[I][J][4], const unsigned (&a)[I][4], const unsigned (&b)[J][2],
                   Site site = Site::current()) {
  emulator::multiply({&acc[0][0][0], &a[0][0], &b[0][0], I, J, true}, site);
}

/// Transposes an 8x8 matrix of 16-bit elements; lane l has columns 2 (l % 4) and the next of row
/// l / 4.
inline unsigned transpose_8x8(unsigned v, Site site = Site::current()) {
  const int lane = emulator::lane(), from = lane % 4 * 8 + lane / 8, high = lane / 4 % 2;
  const unsigned a = shuffle(full_warp, v, from, site), b = shuffle(full_warp, v, from + 4, site);
  return high ? a >> 16 | (b & 0xffff0000u) : (a & 0xffffu) | b << 16;
}

/// 16 of k of a matrix of bf16 in shared memory: cores of 8 rows of 8, each of 128 bytes.
struct SharedCores {
  const bf16* begin;
  int next_rows, next_k;  ///< elements from a core to that of the next 8 rows, and 8 of k
};

/// Before the products of a step: what the threads have written to acc is there.
template <int I>
void warpgroup_begin(float (&)[I][16][4]) {}

/// acc += a b', a 64 rows and b 128: bf16 times bf16 into float32. By the 128 threads of a
/// warpgroup, of which lane l of warp w holds rows 16 w + l / 4 and 8 more (acc[.][2], [3]) of
/// columns 8 j + 2 (l % 4) and the next.
inline void warpgroup_mma(float (&acc)[16][4], const SharedCores& a, const SharedCores& b,
                          Site site = Site::current()) {
  for (const SharedCores* m : {&a, &b})
    for (const bf16* core : {m->begin, m->begin + m->next_rows, m->begin + m->next_k})
      if (reinterpret_cast<uintptr_t>(core) % 16) emulator::misaligned(core, 16, site);
  const auto row_of = [](const SharedCores& m, int row, float(&k)[16]) {
    for (int i = 0; i < 16; ++i)
      k[i] = float(m.begin[row / 8 * m.next_rows + i / 8 * m.next_k + row % 8 * 8 + i % 8]);
  };
  const int lane = emulator::lane(), row = int(threadIdx.x) / 32 % 4 * 16 + lane / 4;
  float left[2][16], right[16];
  row_of(a, row, left[0]);
  row_of(a, row + 8, left[1]);
  for (int j = 0; j < 16; ++j)
    for (int e = 0; e < 2; ++e) {
      row_of(b, 8 * j + lane % 4 * 2 + e, right);
      for (int h = 0; h < 2; ++h) {
        float sum = 0;
        for (int k = 0; k < 16; ++k) sum += left[h][k] * right[k];
        acc[j][2 * h + e] += sum;
      }
    }
}
inline void warpgroup_commit() {}
/// Waits for all products that were committed.
template <int I>
void warpgroup_wait(float (&)[I][16][4]) {}
/// What this thread has copied to shared memory, and waited for, may be read by warpgroup_mma after
/// the next barrier.
inline void copies_are_for_warpgroups() {}

// ---- bits --------------------------------------------------------------------------------------

inline unsigned float_bits(float v) { return std::bit_cast<unsigned>(v); }
inline float bits_float(unsigned v) { return std::bit_cast<float>(v); }
/// Rounds to 10 bits of mantissa, ties away from zero.
inline unsigned to_tf32(float v) {
  const unsigned bits = float_bits(v);
  const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
  return finite ? (bits + 0x1000u) & ~0x1fffu : bits;
}
/// Two floats rounded to bf16, `low` in the lower half.
inline unsigned pack_bf16(float low, float high) {
  return bf16(low).bits | unsigned(bf16(high).bits) << 16;
}
inline int popcount(unsigned v) { return std::popcount(v); }

/// p as a pointer to a vector type.
template <class V, class T>
auto aligned(T* p, Site site) {
  if (reinterpret_cast<uintptr_t>(p) % alignof(V)) emulator::misaligned(p, alignof(V), site);
  if constexpr (std::is_const_v<T>)
    return reinterpret_cast<const V*>(p);
  else
    return reinterpret_cast<V*>(p);
}

inline float rsqrtf(float v) { return 1 / sqrtf(v); }

}  // namespace cairn::simt

/// CUDA's own spelling of the barrier.
inline void __syncthreads(cairn::simt::Site site = cairn::simt::Site::current()) {
  cairn::emulator::sync_block(site);
}
