#pragma once
// The primitives of kernels/device.h for nvcc. Their twins for the host are in
// kernels/simt/primitives.h, in the same order. All PTX but that of runtime/bf16.h is here.
//
// Fragment layouts: PTX ISA, "Matrix Fragments for mma.m16n8k16" and "... mma.m16n8k8".
#include "runtime/cuda.h"

#define CAIRN_KERNEL __global__
#define CAIRN_DEVICE __device__ __forceinline__
#define CAIRN_DEVICE_MEMBER __device__ __forceinline__
#define CAIRN_BOUNDS(...) __launch_bounds__(__VA_ARGS__)

namespace cairn::cuda {

constexpr unsigned full_warp = 0xffffffffu;

/// The place of a call: nothing here, simt's reports use it.
struct Site {
  __host__ __device__ static constexpr Site current() { return {}; }
};

template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), Dim3 grid, Dim3 block,
            size_t dynamic_shared, Arguments&&... arguments) {
  if (grid.count() == 0) return;
  if (dynamic_shared > 0)  // what is static counts too before CUDA asks for this
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                               cudaFuncAttributeMaxDynamicSharedMemorySize, int(dynamic_shared)),
          name);
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(grid.x, grid.y, grid.z);
  config.blockDim = dim3(block.x, block.y, block.z);
  config.dynamicSmemBytes = dynamic_shared;
  config.stream = static_cast<cudaStream_t>(stream());
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), name);
}

// ---- shared memory -----------------------------------------------------------------------------

template <class T>
CAIRN_DEVICE T& shared() {
  __shared__ T memory;
  return memory;
}
template <class T>
CAIRN_DEVICE T* dynamic_shared() {
  extern __shared__ __align__(128) unsigned char cairn_dynamic_shared[];
  return reinterpret_cast<T*>(cairn_dynamic_shared);
}

// ---- waiting for each other --------------------------------------------------------------------

CAIRN_DEVICE void sync_threads(Site = Site::current()) { __syncthreads(); }
CAIRN_DEVICE void sync_warp(unsigned mask = full_warp, Site = Site::current()) { __syncwarp(mask); }

template <class T>
CAIRN_DEVICE T shuffle(unsigned mask, T v, int lane, Site = Site::current()) {
  return __shfl_sync(mask, v, lane);
}
template <class T>
CAIRN_DEVICE T shuffle_down(unsigned mask, T v, unsigned distance, Site = Site::current()) {
  return __shfl_down_sync(mask, v, distance);
}
template <class T>
CAIRN_DEVICE T shuffle_up(unsigned mask, T v, unsigned distance, Site = Site::current()) {
  return __shfl_up_sync(mask, v, distance);
}
template <class T>
CAIRN_DEVICE T shuffle_xor(unsigned mask, T v, int lane_mask, Site = Site::current()) {
  return __shfl_xor_sync(mask, v, lane_mask);
}

CAIRN_DEVICE unsigned ballot(unsigned mask, bool p, Site = Site::current()) {
  return __ballot_sync(mask, p);
}
CAIRN_DEVICE bool any(unsigned mask, bool p, Site = Site::current()) { return __any_sync(mask, p); }
CAIRN_DEVICE bool all(unsigned mask, bool p, Site = Site::current()) { return __all_sync(mask, p); }

/// Butterfly over the 32 lanes; all get the result.
template <class T, class Op>
CAIRN_DEVICE T warp_reduce(T v, Op op, Site) {
#pragma unroll
  for (int d = 16; d; d /= 2) v = op(v, __shfl_xor_sync(full_warp, v, d));
  return v;
}

// ---- atomics: relaxed, return the old value ----------------------------------------------------

CAIRN_DEVICE int atomic_add(int* p, int v) { return atomicAdd(p, v); }
CAIRN_DEVICE unsigned atomic_add(unsigned* p, unsigned v) { return atomicAdd(p, v); }
CAIRN_DEVICE unsigned long long atomic_add(unsigned long long* p, unsigned long long v) {
  return atomicAdd(p, v);
}
CAIRN_DEVICE int64_t atomic_add(int64_t* p, int64_t v) {
  return int64_t(atomicAdd(reinterpret_cast<unsigned long long*>(p), (unsigned long long)(v)));
}
CAIRN_DEVICE int atomic_max(int* p, int v) { return atomicMax(p, v); }
CAIRN_DEVICE unsigned long long atomic_max(unsigned long long* p, unsigned long long v) {
  return atomicMax(p, v);
}
/// *p and v must not be negative: their bits then compare as integers.
CAIRN_DEVICE float atomic_max(float* p, float v) {
  return __int_as_float(atomicMax(reinterpret_cast<int*>(p), __float_as_int(v)));
}

/// Of `blocks` blocks that call this with one counter, 0 at the launch, the last to arrive gets
/// true, in all threads, and sees what the others wrote before they arrived.
CAIRN_DEVICE bool arrives_last(int* counter, int blocks, Site = Site::current()) {
  __threadfence();  // what this thread wrote is there for the device before the block is counted
  __syncthreads();
  const bool first_thread = threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == 0;
  const int last = __syncthreads_or(first_thread && atomicAdd(counter, 1) == blocks - 1);
  if (last) __threadfence();  // nothing below is read earlier, nor from a line that L1 got before
  return last != 0;
}

// ---- asynchronous copies -----------------------------------------------------------------------

CAIRN_DEVICE unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

/// 16 bytes from global to shared memory; zeros if not `inside` (the source is then not read).
CAIRN_DEVICE void cp_async_16(void* to, const void* from, bool inside = true,
                              Site = Site::current()) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(inside ? 16 : 0)
               : "memory");
}
CAIRN_DEVICE void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most N of this thread's groups are under way. Others see them after a barrier.
template <int N>
CAIRN_DEVICE void cp_async_wait(Site = Site::current()) {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

// ---- tensor cores ------------------------------------------------------------------------------

/// Four 8x8 matrices of 16-bit elements; lane 8i + r brings the address of row r of matrix i.
CAIRN_DEVICE void ldmatrix_x4(unsigned& r0, unsigned& r1, unsigned& r2, unsigned& r3,
                              const void* row, Site = Site::current()) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3)
               : "r"(shared_address(row))
               : "memory");
}
CAIRN_DEVICE void ldmatrix_x4_trans(unsigned& r0, unsigned& r1, unsigned& r2, unsigned& r3,
                                    const void* row, Site = Site::current()) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3)
               : "r"(shared_address(row))
               : "memory");
}

/// acc[i][j] += a[i] b[j] for all i, j: I x J tiles m16n8k16, bf16 times bf16 into float32.
template <int I, int J>
CAIRN_DEVICE void mma_tile(float (&acc)[I][J][4], const unsigned (&a)[I][4],
                           const unsigned (&b)[J][2], Site = Site::current()) {
#pragma unroll
  for (int i = 0; i < I; ++i)
#pragma unroll
    for (int j = 0; j < J; ++j)
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
          "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
          : "+f"(acc[i][j][0]), "+f"(acc[i][j][1]), "+f"(acc[i][j][2]), "+f"(acc[i][j][3])
          : "r"(a[i][0]), "r"(a[i][1]), "r"(a[i][2]), "r"(a[i][3]), "r"(b[j][0]), "r"(b[j][1]));
}

/// The same with tiles m16n8k8 of tf32 (the bits of floats rounded by to_tf32).
template <int I, int J>
CAIRN_DEVICE void mma_tile_tf32(float (&acc)[I][J][4], const unsigned (&a)[I][4],
                                const unsigned (&b)[J][2], Site = Site::current()) {
#pragma unroll
  for (int i = 0; i < I; ++i)
#pragma unroll
    for (int j = 0; j < J; ++j)
      asm volatile(
          "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
          "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
          : "+f"(acc[i][j][0]), "+f"(acc[i][j][1]), "+f"(acc[i][j][2]), "+f"(acc[i][j][3])
          : "r"(a[i][0]), "r"(a[i][1]), "r"(a[i][2]), "r"(a[i][3]), "r"(b[j][0]), "r"(b[j][1]));
}

/// Transposes an 8x8 matrix of 16-bit elements; lane l has columns 2 (l % 4) and the next of row
/// l / 4.
CAIRN_DEVICE unsigned transpose_8x8(unsigned v, Site = Site::current()) {
  unsigned out;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(out) : "r"(v));
  return out;
}

/// 16 of k of a matrix of bf16 in shared memory: cores of 8 rows of 8, each of 128 bytes.
struct SharedCores {
  const bf16* begin;
  int next_rows, next_k;  ///< elements from a core to that of the next 8 rows, and 8 of k

  /// PTX ISA, "Matrix descriptor format", without swizzling; both matrices are K-major.
  CAIRN_DEVICE_MEMBER unsigned long long descriptor() const {
    const auto chunks = [](unsigned bytes) { return (unsigned long long)(bytes >> 4 & 0x3fff); };
    return chunks(shared_address(begin)) | chunks(2 * next_k) << 16 | chunks(2 * next_rows) << 32;
  }
};

// The compiler may not move what it computes with the sums across this.
template <int I>
CAIRN_DEVICE void hold_sums(float (&acc)[I][16][4]) {
#pragma unroll
  for (int i = 0; i < 64 * I; ++i)
    asm volatile("" : "+f"(acc[i / 64][i / 4 % 16][i % 4])::"memory");
}

// Of sm_90a alone: files .sm90a.cu, which are compiled for nothing else.
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define CAIRN_HOPPER(...) __VA_ARGS__
#else
#define CAIRN_HOPPER(...) asm volatile("trap;")
#endif

/// Before the products of a step: what the threads have written to acc is there.
template <int I>
CAIRN_DEVICE void warpgroup_begin(float (&acc)[I][16][4]) {
  hold_sums(acc);
  CAIRN_HOPPER(asm volatile("wgmma.fence.sync.aligned;" ::: "memory"));
}

/// acc += a b', a 64 rows and b 128: bf16 times bf16 into float32. By the 128 threads of a
/// warpgroup, of which lane l of warp w holds rows 16 w + l / 4 and 8 more (acc[.][2], [3]) of
/// columns 8 j + 2 (l % 4) and the next.
CAIRN_DEVICE void warpgroup_mma(float (&acc)[16][4], const SharedCores& a, const SharedCores& b,
                                Site = Site::current()) {
#define CAIRN_SUMS_4(j) "+f"(acc[j][0]), "+f"(acc[j][1]), "+f"(acc[j][2]), "+f"(acc[j][3])
  CAIRN_HOPPER(asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %66, 0; "
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
      "%64, %65, add, 1, 1, 0, 0; }"
      : CAIRN_SUMS_4(0), CAIRN_SUMS_4(1), CAIRN_SUMS_4(2), CAIRN_SUMS_4(3), CAIRN_SUMS_4(4),
        CAIRN_SUMS_4(5), CAIRN_SUMS_4(6), CAIRN_SUMS_4(7), CAIRN_SUMS_4(8), CAIRN_SUMS_4(9),
        CAIRN_SUMS_4(10), CAIRN_SUMS_4(11), CAIRN_SUMS_4(12), CAIRN_SUMS_4(13), CAIRN_SUMS_4(14),
        CAIRN_SUMS_4(15)
      : "l"(a.descriptor()), "l"(b.descriptor()), "r"(1)
      : "memory"));
#undef CAIRN_SUMS_4
}
CAIRN_DEVICE void warpgroup_commit() {
  CAIRN_HOPPER(asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"));
}
/// Waits for all products that were committed.
template <int I>
CAIRN_DEVICE void warpgroup_wait(float (&acc)[I][16][4]) {
  CAIRN_HOPPER(asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory"));
  hold_sums(acc);
}
/// What this thread has copied to shared memory, and waited for, may be read by warpgroup_mma after
/// the next barrier.
CAIRN_DEVICE void copies_are_for_warpgroups() {
  CAIRN_HOPPER(asm volatile("fence.proxy.async.shared::cta;" ::: "memory"));
}
#undef CAIRN_HOPPER

// ---- bits --------------------------------------------------------------------------------------

CAIRN_DEVICE unsigned float_bits(float v) { return __float_as_uint(v); }
CAIRN_DEVICE float bits_float(unsigned v) { return __uint_as_float(v); }
/// Rounds to 10 bits of mantissa, ties away from zero.
CAIRN_DEVICE unsigned to_tf32(float v) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(v));
  return bits;
}
/// Two floats rounded to bf16, `low` in the lower half.
CAIRN_DEVICE unsigned pack_bf16(float low, float high) {
  unsigned bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
CAIRN_DEVICE int popcount(unsigned v) { return __popc(v); }

/// p as a pointer to a vector type.
template <class V, class T>
CAIRN_DEVICE auto aligned(T* p, Site) {
  if constexpr (std::is_const_v<T>)
    return reinterpret_cast<const V*>(p);
  else
    return reinterpret_cast<V*>(p);
}

}  // namespace cairn::cuda
