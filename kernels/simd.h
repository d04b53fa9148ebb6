#pragma once
// The widest vectors of the level being compiled, through GCC's and Clang's vector extensions; for
// *.isa.cpp files alone. Arithmetic on them is written as on numbers.
#include <cstdint>
#include <type_traits>
#include <utility>

#include "runtime/bf16.h"

#ifndef CAIRN_ISA
#error "kernels/simd.h is for *.isa.cpp files"
#endif

namespace cairn::CAIRN_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif

// Thirty-two vector registers, or sixteen.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr bool many_registers = true;
#else
constexpr bool many_registers = false;
#endif

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(vector_bytes)));
  typedef float unaligned __attribute__((vector_size(vector_bytes), aligned(4), may_alias));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(vector_bytes)));
  typedef double unaligned __attribute__((vector_size(vector_bytes), aligned(8), may_alias));
};
template <class T>
using Vector = typename VectorOf<T>::type;

template <class T>
constexpr int lanes = vector_bytes / int(sizeof(T));

template <class T>
inline Vector<T> load(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T>::unaligned*>(p);
}
template <class T>
inline void store(T* p, Vector<T> v) {
  *reinterpret_cast<typename VectorOf<T>::unaligned*>(p) = v;
}

#if defined(__AVX2__) && !defined(__AVX512F__)
// All bits set in the first `count` lanes.
template <class T>
inline auto first_lanes(int count) {
  typedef std::conditional_t<sizeof(T) == 4, int, long long> Lane;
  typedef Lane Lanes __attribute__((vector_size(vector_bytes)));
  Lanes lane{};
  for (int i = 0; i < lanes<T>; ++i) lane[i] = i;
  return (Lanes)(lane < Lane(count));
}
#endif

/// The first `count` numbers, zeros behind them; nothing is read or written beyond.
template <class T>
inline Vector<T> load(const T* p, int count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return __builtin_ia32_loadups512_mask(p, Vector<T>{}, uint16_t((1u << count) - 1));
  else
    return __builtin_ia32_loadupd512_mask(p, Vector<T>{}, uint8_t((1u << count) - 1));
#elif defined(__AVX2__)
  const auto* v = reinterpret_cast<const Vector<T>*>(p);
  if constexpr (sizeof(T) == 4)
    return __builtin_ia32_maskloadps256(v, first_lanes<T>(count));
  else
    return __builtin_ia32_maskloadpd256(v, first_lanes<T>(count));
#else
  Vector<T> v{};
  for (int i = 0; i < count; ++i) v[i] = p[i];
  return v;
#endif
}
template <class T>
inline void store(T* p, Vector<T> v, int count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    __builtin_ia32_storeups512_mask(p, v, uint16_t((1u << count) - 1));
  else
    __builtin_ia32_storeupd512_mask(p, v, uint8_t((1u << count) - 1));
#elif defined(__AVX2__)
  auto* to = reinterpret_cast<Vector<T>*>(p);
  if constexpr (sizeof(T) == 4)
    __builtin_ia32_maskstoreps256(to, first_lanes<T>(count), v);
  else
    __builtin_ia32_maskstorepd256(to, first_lanes<T>(count), v);
#else
  for (int i = 0; i < count; ++i) p[i] = v[i];
#endif
}

// bf16 in memory is float32 in registers.
typedef uint16_t Halves __attribute__((vector_size(vector_bytes / 2)));
typedef uint16_t UnalignedHalves
    __attribute__((vector_size(vector_bytes / 2), aligned(2), may_alias));
typedef uint32_t Bits __attribute__((vector_size(vector_bytes)));

inline Vector<float> load(const bf16* p) {
  const Halves h = *reinterpret_cast<const UnalignedHalves*>(p);
  return (Vector<float>)(__builtin_convertvector(h, Bits) << 16);
}
/// Rounds to nearest, ties to even; NaN stays NaN.
inline void store(bf16* p, Vector<float> v) {
  const Bits u = (Bits)v, nearest = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const Bits bits = (u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40u : nearest;
  *reinterpret_cast<UnalignedHalves*>(p) = __builtin_convertvector(bits, Halves);
}

/// Stores whole lines past the caches, where the instruction set can; p must be aligned to a
/// vector. Before others may read them, stream_end() on the same thread.
inline void stream(float* p, Vector<float> v) {
#if defined(__AVX512F__)
  __builtin_ia32_movntps512(p, v);
#elif defined(__AVX2__)
  __builtin_ia32_movntps256(p, v);
#elif defined(__SSE2__)
  __builtin_ia32_movntps(p, v);
#else
  store(p, v);
#endif
}
inline void stream(double* p, Vector<double> v) { store(p, v); }
inline void stream(bf16* p, Vector<float> v) { store(p, v); }
inline void stream_end() {
#if defined(__SSE2__)
  __builtin_ia32_sfence();
#endif
}

template <class T>
inline Vector<T> broadcast(T value) {
  return value - Vector<T>{};
}

/// One stage of a transposition: the numbers of a and b in turn, from the lower or the upper half.
template <int half, class V, int... I>
inline V interleaved(V a, V b, std::integer_sequence<int, I...>) {
  constexpr int n = sizeof...(I);
  return __builtin_shufflevector(a, b, (I / 2 + half * n / 2 + I % 2 * n)...);
}

/// Row i of a square of numbers becomes its column i: each stage turns the index (row, column) by
/// one bit.
template <class T>
inline __attribute__((always_inline)) void transpose(Vector<T> (&rows)[lanes<T>]) {
  constexpr int n = lanes<T>;
  constexpr std::make_integer_sequence<int, n> all;
#pragma GCC unroll 4
  for (int stage = 1; stage < n; stage *= 2) {
    Vector<T> turned[n];
#pragma GCC unroll 16
    for (int i = 0; i < n / 2; ++i) {
      turned[2 * i] = interleaved<0>(rows[i], rows[i + n / 2], all);
      turned[2 * i + 1] = interleaved<1>(rows[i], rows[i + n / 2], all);
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) rows[i] = turned[i];
  }
}

}  // namespace
}  // namespace cairn::CAIRN_ISA
