#pragma once
// The product of bf16 tensors on the tensor cores (mma.sync m16n8k16), or of float32 tensors
// rounded to TF32 (m16n8k8), summed in float32; alone or with the steps of a residual block
// (NormSteps).
//
//   Block     (64 WarpsM) x (32 WarpsN) of C, 64 bytes of k at a time (32 elements of bf16, 16 of
//             float32); a warp sums 4 x 4 tiles of 16 x 8
//   Memory    global -> shared with cp.async, 16 bytes a thread, two steps ahead, three buffers:
//             one barrier per step; runs outside of the image are filled with zeros
//   Shared    rows of 64 bytes of k (or, by columns, lines of one k along m or n) in 16-byte
//             chunks, the chunk's number xored with the row's, so that the 8 rows of an ldmatrix
//             lie in different banks. ldmatrix transposes 16-bit elements alone: float32 by columns
//             is read in single words, a warp's 32 in different banks.
//   Norm      in place, by each thread on the 16-byte runs that it has copied itself, when they
//             have arrived and before the barrier of their step: once an element and block, for
//             twice 8 KiB of shared memory a step beside the 24 (8 warps: 48) of the fragments
//   Rounding  to TF32 on the way from shared memory into registers, or after the norm; ties away
//             from zero
//   Rate      128x128 of C does 32 flop a byte from L2 in TF32 and 64 in bf16, 128x64 two thirds
//             of that (cp.async passes L1 by): at 5.5 TB/s 175 and 350 TFLOP/s, less than the cores
//   Registers 120 to 168, no spills (sm_80 to sm_120); 36 KiB shared with 4 warps, 48 with 8. With
//             128 or fewer a multiprocessor holds two blocks of 8 warps, else one; bounded to 128,
//             three kernels spill on sm_90
//   Needs     runs of 16 bytes in a and b (Patches::aligned)
#include "kernels/gemm/norm_epilogue.cuh"

namespace cairn::CAIRN_NS {

/// T is bf16, or float for products in TF32.
template <class T_, int WarpsM_, int WarpsN_>
struct MmaTile {
  using T = T_;
  static constexpr int WarpsM = WarpsM_, WarpsN = WarpsN_, Threads = 32 * WarpsM * WarpsN;
  static constexpr int M = 64 * WarpsM, N = 32 * WarpsN, K = 64 / sizeof(T), Buffers = 3;
  static constexpr int Step = K / 2;  ///< k of one mma.sync

  struct Shared {
    alignas(16) T a[Buffers][M * K];
    alignas(16) T b[Buffers][N * K];
  };
};

/// One operand: its way into shared memory, and from there into fragments. Normed: through a
/// rectified norm, but for what lies outside of the tensor, which stays 0.
template <class Tile, int Size, bool ByColumns, bool Normed>
class MmaOperand {
  using T = typename Tile::T;
  static constexpr int K = Tile::K;
  static constexpr int Chunk = 16 / sizeof(T);  ///< elements of it

 public:
  using Buffers = T[Tile::Buffers][Size * K];

  CAIRN_DEVICE_MEMBER MmaOperand(const Patches& patches, int group, int begin, int end,
                                 const RectifiedNorm& norm, Buffers& tiles)
      : reader_(patches, begin, end),
        data_(static_cast<const T*>(patches.data) + group * patches.group_stride),
        norm_(norm),
        tiles_(tiles) {}

  CAIRN_DEVICE_MEMBER void load(int buffer, int k, int k_end) {
    reader_.seek(k, k_end);
#pragma unroll
    for (int i = 0; i < Reader::count; ++i) {
      const int64_t at = reader_.offset(i);
      cp_async_16(chunk(buffer, i), data_ + (at < 0 ? 0 : at), at >= 0);
      if constexpr (Normed) {
        const unsigned bit = 1u << (Reader::count * buffer + i);
        inside_ = at < 0 ? inside_ & ~bit : inside_ | bit;
      }
    }
  }

  /// The norm of what this thread has copied of the step at k, when it is there and before others
  /// read it.
  CAIRN_DEVICE_MEMBER void normalise(int buffer, int k) {
    const int c = reader_.channel(0, k);
    const auto mean = load_pack<Chunk>(static_cast<const float*>(norm_.mean) + c);
    const auto scale = load_pack<Chunk>(static_cast<const float*>(norm_.scale) + c);
    const auto beta = load_pack<Chunk>(static_cast<const float*>(norm_.beta) + c);
#pragma unroll
    for (int i = 0; i < Reader::count; ++i) {
      if (!(inside_ >> (Reader::count * buffer + i) & 1)) continue;
      Pack<T, Chunk> x = load_pack<Chunk>(chunk(buffer, i));
#pragma unroll
      for (int e = 0; e < Chunk; ++e)
        x[e] =
            rounded(activate<Activation::relu>((float(x[e]) - mean[e]) * scale[e] + beta[e], 0.f));
      store_pack(chunk(buffer, i), x);
    }
  }

  /// The fragments of two 8-row halves by two halves of a step of k that begin at `row`, `k`.
  /// Fragments 1 and 3 are of the other rows if `rows_first`, else of the other half of k.
  CAIRN_DEVICE_MEMBER void fragments(int buffer, int row, int k, bool rows_first, unsigned& r0,
                                     unsigned& r1, unsigned& r2, unsigned& r3) const {
    const T* tile = tiles_[buffer];
    const int lane = int(threadIdx.x) % 32;
    if constexpr (ByColumns && sizeof(T) == 4) {
      const int r = row + lane / 4, q = k + lane % 4, dr = rows_first ? 8 : 0, dq = 4 - dr / 2;
      r0 = float_bits(tile[word(q, r)]);
      r1 = float_bits(tile[word(q + dq, r + dr)]);
      r2 = float_bits(tile[word(q + 4 - dq, r + 8 - dr)]);
      r3 = float_bits(tile[word(q + 4, r + 8)]);
    } else {
      const int odd = lane / 8 % 2, upper = lane / 16;
      const int r = row / 8 + (rows_first ? odd : upper),
                q = k / Chunk + (rows_first ? upper : odd);
      if constexpr (ByColumns)
        ldmatrix_x4_trans(r0, r1, r2, r3, tile + place(8 * q + lane % 8, r));
      else
        ldmatrix_x4(r0, r1, r2, r3, tile + place(8 * r + lane % 8, q));
    }
    if constexpr (sizeof(T) == 4 && !Normed)
      for (unsigned* v : {&r0, &r1, &r2, &r3}) *v = to_tf32(bits_float(*v));
  }

 private:
  using Reader = PatchReader<Size, K, Chunk, Tile::Threads, ByColumns>;

  /// As mma.sync takes it.
  CAIRN_DEVICE_MEMBER static T rounded(float z) {
    if constexpr (sizeof(T) == 4)
      return bits_float(to_tf32(z));
    else
      return T(z);
  }
  /// Where run i of this thread lies.
  CAIRN_DEVICE_MEMBER T* chunk(int buffer, int i) const {
    return tiles_[buffer] + place(reader_.line(i), reader_.run() / Chunk);
  }
  /// Where chunk `chunk` of a line of the tile lies.
  CAIRN_DEVICE_MEMBER static int place(int line, int chunk) {
    if constexpr (ByColumns && sizeof(T) == 4)
      return (line * (Size / Chunk) + (chunk ^ 2 * (line & 3))) * Chunk;
    else if constexpr (ByColumns)
      return (line * (Size / Chunk) + (chunk ^ (line & 7))) * Chunk;
    return (line * (K / Chunk) + (chunk ^ (line >> 1 & 3))) * Chunk;
  }
  /// Where element (k, row) of a tile by columns lies.
  CAIRN_DEVICE_MEMBER static int word(int k, int row) {
    return place(k, row / Chunk) + row % Chunk;
  }

  Reader reader_;
  const T* data_;
  RectifiedNorm norm_;
  Buffers& tiles_;
  unsigned inside_ = 0;  // a bit for each run of each buffer, if Normed
};

/// The sums of a tile. Fragment layout: lane l holds columns 2 (l % 4) and the next of rows l / 4
/// and l / 4 + 8.
template <class Tile>
struct MmaSums {
  using Number = float;
  static constexpr int Rows = 8, Run = 2, Runs = 4;
  static constexpr int Columns = Tile::N, Down = 8 * Tile::WarpsM;

  int warp_m = int(threadIdx.x) / 32 / Tile::WarpsN, warp_n = int(threadIdx.x) / 32 % Tile::WarpsN;
  int lane = int(threadIdx.x) % 32;
  float acc[4][4][4] = {};

  CAIRN_DEVICE_MEMBER int row(int i) const { return 64 * warp_m + 8 * i + lane / 4; }
  CAIRN_DEVICE_MEMBER int column(int j) const { return 32 * warp_n + 8 * j + 2 * (lane % 4); }
  CAIRN_DEVICE_MEMBER int down() const { return 8 * warp_m + lane / 4; }
  CAIRN_DEVICE_MEMBER const float* run(int i, int j) const { return &acc[i / 2][j][i % 2 * 2]; }
  CAIRN_DEVICE_MEMBER float* run(int i, int j) { return &acc[i / 2][j][i % 2 * 2]; }
  /// A window's rows are in lanes that differ in bits 2 and 3.
  CAIRN_DEVICE_MEMBER void pool() {
#pragma unroll
    for (int t = 0; t < 64; ++t) {
      float& v = acc[t / 16][t / 4 % 4][t % 4];
      v = larger(v, shuffle_xor(full_warp, v, 4));
      v = larger(v, shuffle_xor(full_warp, v, 8));
    }
  }
};

template <class Tile, bool AByColumns, bool BByColumns, Fused fused>
CAIRN_KERNEL void CAIRN_BOUNDS(Tile::Threads) mma_product(Product p) {
  using T = typename Tile::T;
  using Sums = MmaSums<Tile>;
  auto& s = shared<ProductMemory<typename Tile::Shared, Sums>>();
  const TilePlace at = tile_place<Tile>(p);
  MmaOperand<Tile, Tile::M, AByColumns, fused == Fused::norm_a> a(p.a, at.group, at.m, p.m,
                                                                  p.steps.in, s.operands.a);
  MmaOperand<Tile, Tile::N, BByColumns, fused == Fused::norm_b> b(p.b, at.group, at.n, p.n,
                                                                  p.steps.in, s.operands.b);
  const auto load = [&](int k, int buffer) {
    if (k < at.k_end) {
      a.load(buffer, k, at.k_end);
      b.load(buffer, k, at.k_end);
    }
    cp_async_commit();
  };

  Sums sums;
#pragma unroll
  for (int i = 0; i < Tile::Buffers - 1; ++i) load(at.k + i * Tile::K, i);
  for (int k = at.k, buffer = 0; k < at.k_end; k += Tile::K) {
    cp_async_wait<Tile::Buffers - 2>();
    if constexpr (fused == Fused::norm_a) a.normalise(buffer, k);
    if constexpr (fused == Fused::norm_b) b.normalise(buffer, k);
    sync_threads();  // this step has arrived, and the buffer of the step before is free
    load(k + (Tile::Buffers - 1) * Tile::K, (buffer + Tile::Buffers - 1) % Tile::Buffers);
#pragma unroll
    for (int step = 0; step < Tile::K; step += Tile::Step) {
      unsigned left[4][4], right[4][2];
#pragma unroll
      for (int i = 0; i < 4; ++i)
        a.fragments(buffer, 64 * sums.warp_m + 16 * i, step, true, left[i][0], left[i][1],
                    left[i][2], left[i][3]);
#pragma unroll
      for (int j = 0; j < 4; j += 2)
        b.fragments(buffer, 32 * sums.warp_n + 8 * j, step, false, right[j][0], right[j][1],
                    right[j + 1][0], right[j + 1][1]);
      if constexpr (sizeof(T) == 4)
        mma_tile_tf32(sums.acc, left, right);
      else
        mma_tile(sums.acc, left, right);
    }
    buffer = (buffer + 1) % Tile::Buffers;
  }
  finish<fused, T>(p, at, sums, s);
}

}  // namespace cairn::CAIRN_NS
