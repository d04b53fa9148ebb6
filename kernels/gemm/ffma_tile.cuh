#pragma once
// The product in float32 or float64 on the ordinary cores, for tensors of any size and alignment,
// alone or with the steps of a residual block (NormSteps).
//
//   Block     M x N of C, K = 16 (8) of k at a time; a thread sums 8x8 (4x4 in the small tile)
//   Memory    global -> registers -> shared, one step ahead, two buffers: one barrier per step
//   Shared    [k][m] and [k][n], lines padded by 4 floats: no bank conflicts when a step is written
//             (16 rows by 2 runs a half-warp) or read (16 bytes a thread, the same or adjacent)
//   Rate      per k a thread reads 16 floats of shared memory for 64 fused multiply-adds
//   Norm      on the registers between global and shared memory, a step after they were asked for:
//             its three numbers per channel come from L1
//   Registers 145 to 168, three blocks of 128 threads per multiprocessor; the small tile 77 to 168,
//             six of 64; no spills (sm_80 to sm_120)
#include "kernels/gemm/norm_epilogue.cuh"

namespace cairn::CAIRN_NS {

template <int M_, int N_, int ThreadM_, int ThreadN_, int K_ = 16>
struct FfmaTile {
  static constexpr int M = M_, N = N_, K = K_;
  static constexpr int ThreadM = ThreadM_, ThreadN = ThreadN_;
  static constexpr int ThreadsN = N / ThreadN, Threads = M / ThreadM * ThreadsN;
  /// Of the loop over a step's k. In full, the wide tile and the square one of 8x8 pass 168
  /// registers on some of sm_80 to sm_120.
  static constexpr int Unroll = ThreadM == 8 && M <= N ? 2 : K;
  /// Blocks per multiprocessor for sums of so many bytes: 168 registers a thread, 255 for doubles.
  static constexpr int resident(int bytes) { return 384 / Threads * 4 / bytes; }

  template <class A>
  struct Shared {
    alignas(16) A a[2][K][M + 4];
    alignas(16) A b[2][K][N + 4];
  };

  /// The tile's row (of m or n) of element e of thread `t` of `Size / Each`: runs of 4, so that
  /// neighbours read neighbouring 16 bytes.
  template <int Size, int Each>
  CAIRN_DEVICE_MEMBER static int place(int t, int e) {
    return e / 4 * (Size / (Each / 4)) + t * 4 + e % 4;
  }
};

/// One operand on its way into shared memory; Normed: through a rectified norm, but for what lies
/// outside of the tensor, which stays 0.
template <class T, int Size, int K, int Threads, bool ByColumns, bool Normed = false>
class FfmaOperand {
  using A = Sum<T>;

 public:
  CAIRN_DEVICE_MEMBER FfmaOperand(const Patches& patches, int group, int begin, int end,
                                  const RectifiedNorm& norm = {})
      : patches_(patches),
        reader_(patches, begin, end),
        data_(static_cast<const T*>(patches.data) + group * patches.group_stride),
        norm_(norm) {}

  CAIRN_DEVICE_MEMBER void fetch(int k, int k_end) {
    reader_.seek(k, k_end);
    if (patches_.aligned)
      fetch_runs();
    else
      fetch_elements();
  }

  CAIRN_DEVICE_MEMBER void store(A (&tile)[K][Size + 4]) {
    if constexpr (Normed) normalise();
#pragma unroll
    for (int i = 0; i < Reader::count; ++i) {
      const int line = reader_.line(i), run = reader_.run();
      if constexpr (ByColumns) {
        store_pack(&tile[line][run], held_[i]);
      } else {
#pragma unroll
        for (int e = 0; e < 4; ++e) tile[run + e][line] = held_[i][e];
      }
    }
  }

 private:
  CAIRN_DEVICE_MEMBER void fetch_runs() {
#pragma unroll
    for (int i = 0; i < Reader::count; ++i) {
      const int64_t at = reader_.offset(i);
      if constexpr (Normed) inside_ = at < 0 ? inside_ & ~(15u << 4 * i) : inside_ | 15u << 4 * i;
      const Pack<T, 4> run = at < 0 ? Pack<T, 4>{} : load_pack<4>(data_ + at);
#pragma unroll
      for (int e = 0; e < 4; ++e) held_[i][e] = A(run[e]);
    }
  }
  CAIRN_DEVICE_MEMBER void fetch_elements() {
    PatchPlace columns[4];
#pragma unroll
    for (int e = 0; e < 4; ++e) columns[e] = reader_.column(e);
#pragma unroll
    for (int i = 0; i < Reader::count; ++i) {
      const PatchPlace row = reader_.row(i);
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int64_t at = patches_.at(row, columns[e]);
        if constexpr (Normed)
          inside_ = at < 0 ? inside_ & ~(1u << (4 * i + e)) : inside_ | 1u << (4 * i + e);
        held_[i][e] = at < 0 ? A(0) : A(data_[at]);
      }
    }
  }

  // When the numbers have arrived, a step after they were asked for.
  CAIRN_DEVICE_MEMBER void normalise() {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int c = reader_.channel(e);
      const A mean = static_cast<const A*>(norm_.mean)[c];
      const A scale = static_cast<const A*>(norm_.scale)[c];
      const A beta = static_cast<const A*>(norm_.beta)[c];
#pragma unroll
      for (int i = 0; i < Reader::count; ++i) {
        const A z = activate<Activation::relu>((held_[i][e] - mean) * scale + beta, A(0));
        if (inside_ >> (4 * i + e) & 1) held_[i][e] = A(T(z));
      }
    }
  }

  using Reader = PatchReader<Size, K, 4, Threads, ByColumns>;
  const Patches& patches_;
  Reader reader_;
  const T* data_;
  RectifiedNorm norm_;
  unsigned inside_ = 0;  // a bit for each number held, if Normed
  Pack<A, 4> held_[Reader::count];
};

/// acc += the product of one step.
template <class Tile, class A>
CAIRN_DEVICE void ffma_step(const A (&a)[Tile::K][Tile::M + 4], const A (&b)[Tile::K][Tile::N + 4],
                            int ty, int tx, A (&acc)[Tile::ThreadM][Tile::ThreadN]) {
#pragma unroll Tile::Unroll
  for (int k = 0; k < Tile::K; ++k) {
    Pack<A, 4> left[Tile::ThreadM / 4], right[Tile::ThreadN / 4];
#pragma unroll
    for (int g = 0; g < Tile::ThreadM / 4; ++g)
      left[g] = load_pack<4>(&a[k][Tile::template place<Tile::M, Tile::ThreadM>(ty, 4 * g)]);
#pragma unroll
    for (int g = 0; g < Tile::ThreadN / 4; ++g)
      right[g] = load_pack<4>(&b[k][Tile::template place<Tile::N, Tile::ThreadN>(tx, 4 * g)]);
#pragma unroll
    for (int i = 0; i < Tile::ThreadM; ++i)
#pragma unroll
      for (int j = 0; j < Tile::ThreadN; ++j) acc[i][j] += left[i / 4][i % 4] * right[j / 4][j % 4];
  }
}

/// The sums of a tile: of rows and columns `place` of ty, tx.
template <class A, class Tile>
struct FfmaSums {
  using Number = A;
  static constexpr int Rows = Tile::ThreadM, Run = 4, Runs = Tile::ThreadN / 4;
  static constexpr int Columns = Tile::N, Down = Tile::Threads / Tile::ThreadsN;

  int ty = int(threadIdx.x) / Tile::ThreadsN, tx = int(threadIdx.x) % Tile::ThreadsN;
  A acc[Tile::ThreadM][Tile::ThreadN] = {};

  CAIRN_DEVICE_MEMBER int row(int i) const {
    return Tile::template place<Tile::M, Tile::ThreadM>(ty, i);
  }
  CAIRN_DEVICE_MEMBER int column(int j) const {
    return Tile::template place<Tile::N, Tile::ThreadN>(tx, 4 * j);
  }
  CAIRN_DEVICE_MEMBER int down() const { return ty; }
  CAIRN_DEVICE_MEMBER const A* run(int i, int j) const { return &acc[i][4 * j]; }
  CAIRN_DEVICE_MEMBER A* run(int i, int j) { return &acc[i][4 * j]; }
  CAIRN_DEVICE_MEMBER void pool() {
#pragma unroll
    for (int i = 0; i < Tile::ThreadM; i += 4)
#pragma unroll
      for (int j = 0; j < Tile::ThreadN; ++j)
        acc[i][j] = larger(larger(acc[i][j], acc[i + 1][j]), larger(acc[i + 2][j], acc[i + 3][j]));
  }
};

/// acc += the tile of two operands over k_begin .. k_end. Before `s` serves for anything else the
/// block must meet once more.
template <class Tile, class A, class B, class Number>
CAIRN_DEVICE void ffma_sum(A& a, B& b, int k_begin, int k_end,
                           typename Tile::template Shared<Number>& s, int ty, int tx,
                           Number (&acc)[Tile::ThreadM][Tile::ThreadN]) {
  a.fetch(k_begin, k_end);
  b.fetch(k_begin, k_end);
  for (int k = k_begin, buffer = 0; k < k_end; k += Tile::K, buffer ^= 1) {
    a.store(s.a[buffer]);
    b.store(s.b[buffer]);
    sync_threads();  // the other buffer's readers are past it too: it may be written next
    if (k + Tile::K < k_end) {
      a.fetch(k + Tile::K, k_end);
      b.fetch(k + Tile::K, k_end);
    }
    ffma_step<Tile>(s.a[buffer], s.b[buffer], ty, tx, acc);
  }
}

/// The same at m0, n0 of two patch matrices.
template <class T, class Tile, bool AByColumns, bool BByColumns>
CAIRN_DEVICE void ffma_sum(const Patches& left, int m0, int m_end, const Patches& right, int n0,
                           int n_end, int group, int k_begin, int k_end,
                           typename Tile::template Shared<Sum<T>>& s, int ty, int tx,
                           Sum<T> (&acc)[Tile::ThreadM][Tile::ThreadN]) {
  FfmaOperand<T, Tile::M, Tile::K, Tile::Threads, AByColumns> a(left, group, m0, m_end);
  FfmaOperand<T, Tile::N, Tile::K, Tile::Threads, BByColumns> b(right, group, n0, n_end);
  ffma_sum<Tile>(a, b, k_begin, k_end, s, ty, tx, acc);
}

template <class T, class Tile, bool AByColumns, bool BByColumns, Fused fused>
CAIRN_KERNEL void CAIRN_BOUNDS(Tile::Threads, Tile::resident(sizeof(Sum<T>)))
    ffma_product(Product p) {
  using Sums = FfmaSums<Sum<T>, Tile>;
  auto& s = shared<ProductMemory<typename Tile::template Shared<Sum<T>>, Sums>>();
  const TilePlace at = tile_place<Tile>(p);
  FfmaOperand<T, Tile::M, Tile::K, Tile::Threads, AByColumns, fused == Fused::norm_a> a(
      p.a, at.group, at.m, p.m, p.steps.in);
  FfmaOperand<T, Tile::N, Tile::K, Tile::Threads, BByColumns, fused == Fused::norm_b> b(
      p.b, at.group, at.n, p.n, p.steps.in);
  Sums sums;
  ffma_sum<Tile>(a, b, at.k, at.k_end, s.operands, sums.ty, sums.tx, sums.acc);
  finish<fused, T>(p, at, sums, s);
}

}  // namespace cairn::CAIRN_NS
