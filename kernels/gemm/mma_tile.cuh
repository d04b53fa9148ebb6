#pragma once
// The product of bf16 tensors on the tensor cores (mma.sync m16n8k16), summed in float32.
//
//   Block     (64 WarpsM) x (32 WarpsN) of C, 32 of k at a time; a warp sums 4 x 4 tiles of 16 x 8
//   Memory    global -> shared with cp.async, 16 bytes a thread, two steps ahead, three buffers:
//             one barrier per step; runs outside of the image are filled with zeros
//   Shared    rows of 32 of k (or, by columns, 32 rows of m or n) in 16-byte chunks, the chunk's
//             number xored with the row's, so that the 8 rows of an ldmatrix lie in different banks
//   Registers 122 to 166, no spills (sm_80 to sm_120); 36 KiB shared with 4 warps, 48 with 8
//   Needs     runs of 8 elements aligned to 16 bytes in a and b (Patches::aligned)
#include "kernels/gemm/epilogue.cuh"

namespace cairn::CAIRN_NS {

template <int WarpsM_, int WarpsN_>
struct MmaTile {
  static constexpr int WarpsM = WarpsM_, WarpsN = WarpsN_, Threads = 32 * WarpsM * WarpsN;
  static constexpr int M = 64 * WarpsM, N = 32 * WarpsN, K = 32, Buffers = 3;

  struct Shared {
    alignas(16) bf16 a[Buffers][M * K];
    alignas(16) bf16 b[Buffers][N * K];
  };
};

/// One operand: its way into shared memory, and from there into fragments.
template <int Size, int Threads, bool ByColumns>
class MmaOperand {
  static constexpr int K = 32;

 public:
  CAIRN_DEVICE_MEMBER MmaOperand(const Patches& patches, int group, int begin, int end)
      : reader_(patches, begin, end),
        data_(static_cast<const bf16*>(patches.data) + group * patches.group_stride) {}

  CAIRN_DEVICE_MEMBER void load(bf16* tile, int k, int k_end) {
    reader_.seek(k, k_end);
#pragma unroll
    for (int i = 0; i < Reader::count; ++i) {
      const int64_t at = reader_.offset(i);
      cp_async_16(tile + place(reader_.line(i), reader_.run() / 8), data_ + (at < 0 ? 0 : at),
                  at >= 0);
    }
  }

  /// The address this lane brings to the ldmatrix of two 8-row halves by two 8-k halves that begin
  /// at `row`, `k`. Matrices 1 and 3 are the other rows if `rows_first`, else the other k.
  CAIRN_DEVICE_MEMBER static const bf16* lane_address(const bf16* tile, int row, int k,
                                                      bool rows_first) {
    const int lane = int(threadIdx.x) % 32, odd = lane / 8 % 2, upper = lane / 16;
    const int r = row / 8 + (rows_first ? odd : upper), q = k / 8 + (rows_first ? upper : odd);
    return tile + (ByColumns ? place(8 * q + lane % 8, r) : place(8 * r + lane % 8, q));
  }

  template <class... Registers>
  CAIRN_DEVICE_MEMBER static void load_matrices(const bf16* address, Registers&... r) {
    if constexpr (ByColumns)
      ldmatrix_x4_trans(r..., address);
    else
      ldmatrix_x4(r..., address);
  }

 private:
  using Reader = PatchReader<Size, K, 8, Threads, ByColumns>;

  /// Where chunk `chunk` of a line of the tile lies.
  CAIRN_DEVICE_MEMBER static int place(int line, int chunk) {
    if constexpr (ByColumns) return (line * (Size / 8) + (chunk ^ (line & 7))) * 8;
    return (line * (K / 8) + (chunk ^ (line >> 1 & 3))) * 8;
  }

  Reader reader_;
  const bf16* data_;
};

/// Writes two columns of a row of C, or of the part's copy.
CAIRN_DEVICE void mma_write(const Product& p, int split, int group, int m, int n, float low,
                            float high) {
  if (p.splits > 1) {
    float* row = part_row<float>(p, split, group, m);
    if (n < p.n) row[n] = low;
    if (n + 1 < p.n) row[n + 1] = high;
    return;
  }
  bf16* c = static_cast<bf16*>(p.c) + group * p.c_group + p.c_offset(m);
  const bf16* bias = p.bias ? static_cast<const bf16*>(p.bias) + int64_t(group) * p.n : nullptr;
  write_columns<2>(p, c, bias, n, {low, high});
}

/// Fragment layout: lane l holds columns 2 (l % 4) and the next of rows l / 4 and l / 4 + 8.
template <int I, int J>
CAIRN_DEVICE void mma_finish(const Product& p, int split, int group, int m0, int n0,
                             float (&acc)[I][J][4]) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int i = 0; i < I; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int j = 0; j < J; ++j) {
        const int m = m0 + 16 * i + 8 * half + lane / 4, n = n0 + 8 * j + 2 * (lane % 4);
        float low = acc[i][j][2 * half], high = acc[i][j][2 * half + 1];
        if (p.pool2) {  // a window's rows are in lanes that differ in bits 2 and 3
#pragma unroll
          for (int bit = 4; bit <= 8; bit *= 2) {
            low = larger(low, shuffle_xor(full_warp, low, bit));
            high = larger(high, shuffle_xor(full_warp, high, bit));
          }
        }
        if (m < p.m && !(p.pool2 && m % 4))
          mma_write(p, split, group, p.pool2 ? m / 4 : m, n, low, high);
      }
}

template <class Tile, bool AByColumns, bool BByColumns>
CAIRN_KERNEL void CAIRN_BOUNDS(Tile::Threads) mma_product(Product p) {
  auto& s = shared<typename Tile::Shared>();
  const int tiles_n = (p.n + Tile::N - 1) / Tile::N;
  const int m0 = int(blockIdx.x) / tiles_n * Tile::M, n0 = int(blockIdx.x) % tiles_n * Tile::N;
  const int group = int(blockIdx.y), split = int(blockIdx.z);
  const int k_begin = split * p.k_per_split;
  const int k_end = p.k - k_begin < p.k_per_split ? p.k : k_begin + p.k_per_split;
  const int warp_m = int(threadIdx.x) / 32 / Tile::WarpsN * 64;
  const int warp_n = int(threadIdx.x) / 32 % Tile::WarpsN * 32;

  using A = MmaOperand<Tile::M, Tile::Threads, AByColumns>;
  using B = MmaOperand<Tile::N, Tile::Threads, BByColumns>;
  A a(p.a, group, m0, p.m);
  B b(p.b, group, n0, p.n);
  const auto load = [&](int k, int buffer) {
    if (k < k_end) {
      a.load(s.a[buffer], k, k_end);
      b.load(s.b[buffer], k, k_end);
    }
    cp_async_commit();
  };

  float acc[4][4][4] = {};
#pragma unroll
  for (int i = 0; i < Tile::Buffers - 1; ++i) load(k_begin + i * Tile::K, i);
  for (int k = k_begin, buffer = 0; k < k_end; k += Tile::K) {
    cp_async_wait<Tile::Buffers - 2>();
    sync_threads();  // this step has arrived, and the buffer of the step before is free
    load(k + (Tile::Buffers - 1) * Tile::K, (buffer + Tile::Buffers - 1) % Tile::Buffers);
#pragma unroll
    for (int step = 0; step < Tile::K; step += 16) {
      unsigned left[4][4], right[4][2];
#pragma unroll
      for (int i = 0; i < 4; ++i)
        A::load_matrices(A::lane_address(s.a[buffer], warp_m + 16 * i, step, true), left[i][0],
                         left[i][1], left[i][2], left[i][3]);
#pragma unroll
      for (int j = 0; j < 4; j += 2)
        B::load_matrices(B::lane_address(s.b[buffer], warp_n + 8 * j, step, false), right[j][0],
                         right[j][1], right[j + 1][0], right[j + 1][1]);
      mma_tile(acc, left, right);
    }
    buffer = (buffer + 1) % Tile::Buffers;
  }
  mma_finish(p, split, group, m0 + warp_m, n0 + warp_n, acc);
}

}  // namespace cairn::CAIRN_NS
