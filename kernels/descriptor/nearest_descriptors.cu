// nearest_descriptors: tiles of the matrix of products, each reduced where it was computed.
//
//   Launch    a block of 64 threads computes 64x64 products (ffma_tile.cuh), leaves them in shared
//             memory, and thread t goes through row t and column t for their best two. These are
//             merged into one pair of 64-bit keys (similarity, index) per descriptor.
//   Traffic   4 (N + M) C B at least; a and b are read once per 64 columns and rows, mostly from
//             L2. Keys: 16 B a descriptor, two atomics per descriptor and tile it is in.
//   Work      2 N M C flop; floor = flop / peak of float32. Shared memory beside it: 2 reads a
//             product, C / 128 of what the product itself reads.
//   Registers 164 to 168 a thread, 34 KB of shared memory a block; no spills (sm_80 to sm_120).
//   Repeats   bitwise: a maximum does not depend on the order, and neither does the second one:
//             each merge passes the smaller key on, and all but the largest are passed on.
#include "kernels/descriptor/nearest_descriptors.h"

#include "kernels/gemm/ffma_tile.cuh"

namespace cairn::CAIRN_NS {
namespace {

using Tile = FfmaTile<64, 64, 8, 8>;
using Key = unsigned long long;  ///< 0: none

struct NearestShared {
  Tile::Shared<float> operands;
  float similarity[Tile::M][Tile::N + 1];
};

/// Keys compare as the similarities do, and equal ones the other way round than their indices.
CAIRN_DEVICE Key key_of(float similarity, int index) {
  const unsigned bits = float_bits(similarity + 0.f);  // -0 becomes 0
  const unsigned rising = bits >> 31 ? ~bits : bits | 0x80000000u;
  return Key(rising) << 32 | unsigned(~index);
}
CAIRN_DEVICE float similarity_of(Key key) {
  const unsigned rising = unsigned(key >> 32);
  return key == 0 ? -INFINITY : bits_float(rising >> 31 ? rising & 0x7fffffffu : ~rising);
}

/// The best two of one line of the tile.
struct LineBest {
  float best = -INFINITY, second = -INFINITY;
  int index = -1;

  CAIRN_DEVICE_MEMBER void raise(float s, int at) {
    const bool above = s > best;  // of equal ones the first stays, and NaN never enters
    second = fmaxf(second, above ? best : s);
    best = above ? s : best;
    index = above ? at : index;
  }
  /// keys[0], keys[1] become the largest two of theirs and these.
  CAIRN_DEVICE_MEMBER void publish(Key* keys) const {
    if (index < 0) return;
    const Key mine = key_of(best, index), old = atomic_max(keys, mine);
    const Key smaller = mine < old ? mine : old, next = key_of(second, 0);
    atomic_max(keys + 1, smaller < next ? next : smaller);
  }
};

CAIRN_KERNEL void CAIRN_BOUNDS(Tile::Threads, Tile::resident(sizeof(float)))
    nearest_descriptors_kernel(Product p, Key* of_a, Key* of_b) {
  auto& s = shared<NearestShared>();
  const int tiles_n = (p.n + Tile::N - 1) / Tile::N;
  const int m0 = int(blockIdx.x) / tiles_n * Tile::M, n0 = int(blockIdx.x) % tiles_n * Tile::N;
  const int t = int(threadIdx.x), ty = t / Tile::ThreadsN, tx = t % Tile::ThreadsN;
  float acc[Tile::ThreadM][Tile::ThreadN] = {};
  ffma_sum<float, Tile, false, false>(p.a, m0, p.m, p.b, n0, p.n, 0, 0, p.k, s.operands, ty, tx,
                                      acc);
#pragma unroll
  for (int i = 0; i < Tile::ThreadM; ++i)
#pragma unroll
    for (int j = 0; j < Tile::ThreadN; ++j)
      s.similarity[Tile::place<Tile::M, Tile::ThreadM>(ty, i)]
                  [Tile::place<Tile::N, Tile::ThreadN>(tx, j)] = acc[i][j];
  sync_threads();
  const int rows = min(Tile::M, p.m - m0), columns = min(Tile::N, p.n - n0);
  LineBest row, column;
  if (t < rows)
    for (int j = 0; j < columns; ++j) row.raise(s.similarity[t][j], n0 + j);
  if (t < columns)
    for (int i = 0; i < rows; ++i) column.raise(s.similarity[i][t], m0 + i);
  if (t < rows) row.publish(of_a + 2 * int64_t(m0 + t));
  if (t < columns) column.publish(of_b + 2 * int64_t(n0 + t));
}

CAIRN_KERNEL void read_keys_kernel(const Key* keys, int64_t count, int* index, float* similarity) {
  for (int64_t i = global_thread(); i < count; i += global_threads()) {
    const Key best = keys[2 * i];
    index[i] = best == 0 ? -1 : int(~unsigned(best));
    similarity[2 * i] = similarity_of(best);
    similarity[2 * i + 1] = similarity_of(keys[2 * i + 1]);
  }
}

void read_keys(const Tensor& keys, NearestDescriptors& out) {
  launch("nearest_descriptors", read_keys_kernel, blocks_for(keys.dim(0), 256), 256, 0,
         static_cast<const Key*>(keys.raw()), keys.dim(0), out.index.data<int32_t>(),
         out.similarity.data<float>());
}

}  // namespace

void nearest_descriptors(const Tensor& a, const Tensor& b, NearestDescriptors& of_a,
                         NearestDescriptors& of_b) {
  Product p;
  p.m = index_count(a.dim(0));
  p.n = index_count(b.dim(0));
  p.k = index_count(a.dim(1));
  p.a = matrix(a.raw(), p.k, p.k);
  p.b = matrix(b.raw(), p.k, p.k);
  p.a.aligned = aligned(p.a, DType::f32);
  p.b.aligned = aligned(p.b, DType::f32);
  const Tensor keys_a = Tensor::zeros({p.m, 2}, DType::f64, a.device());  // as 64-bit integers
  const Tensor keys_b = Tensor::zeros({p.n, 2}, DType::f64, a.device());
  const auto keys = [](const Tensor& t) { return static_cast<Key*>(const_cast<void*>(t.raw())); };
  const int64_t tiles = int64_t((p.m + Tile::M - 1) / Tile::M) * ((p.n + Tile::N - 1) / Tile::N);
  launch("nearest_descriptors", nearest_descriptors_kernel, Dim3(tiles), Tile::Threads, 0, p,
         keys(keys_a), keys(keys_b));
  read_keys(keys_a, of_a);
  read_keys(keys_b, of_b);
}

}  // namespace cairn::CAIRN_NS
