// One kernel per group of primitives in kernels/device.h; tests/simt/primitives_test.cpp says what
// each must give. One block of 64 threads unless said otherwise.
#include "kernels/device.h"
#include "runtime/error.h"
#include "tests/simt/kernels.h"

namespace cairn::CAIRN_NS {
namespace {

// y (4,64): x from lane 5, from two lanes on, from three lanes back, from the neighbour.
CAIRN_KERNEL void shuffles(const float* x, float* y) {
  const int t = threadIdx.x;
  y[t] = shuffle(full_warp, x[t], 5);
  y[64 + t] = shuffle_down(full_warp, x[t], 2);
  y[128 + t] = shuffle_up(full_warp, x[t], 3);
  y[192 + t] = shuffle_xor(full_warp, x[t], 1);
}

// y (64): the sum over this half of the warp; the halves go separate ways.
CAIRN_KERNEL void half_warps(const float* x, float* y) {
  const int t = threadIdx.x;
  const unsigned mask = lane_index() < 16 ? 0x0000ffffu : 0xffff0000u;
  float v = x[t];
  if (lane_index() < 16) {
    for (int d = 8; d; d /= 2) v += shuffle_xor(mask, v, d);
  } else {
    for (int d = 1; d < 16; d *= 2) v += shuffle_xor(mask, v, d);
  }
  y[t] = v;
}

// y (4,64): how many lanes are positive, whether any, whether all, whether all of the own sign.
CAIRN_KERNEL void votes(const float* x, float* y) {
  const int t = threadIdx.x;
  const unsigned positive = ballot(full_warp, x[t] > 0);
  y[t] = float(popcount(positive));
  y[64 + t] = any(full_warp, x[t] > 0);
  y[128 + t] = all(full_warp, x[t] > 0);
  if (x[t] > 0)
    y[192 + t] = all(positive, x[t] > 0);
  else
    y[192 + t] = any(~positive, x[t] > 0);
}

// y (4,64)
CAIRN_KERNEL void reductions(const float* x, float* y) {
  const int t = threadIdx.x;
  y[t] = warp_sum(x[t]);
  y[64 + t] = warp_max(x[t]);
  y[128 + t] = block_sum<64>(x[t]);
  y[192 + t] = block_max<64>(x[t]);
}

// y (64): x reversed within the block, through shared memory; several blocks.
struct Reversed {
  float v[64];
};
CAIRN_KERNEL void reversal(const float* x, float* y) {
  auto& s = shared<Reversed>();
  s.v[threadIdx.x] = x[global_thread()];
  sync_threads();
  y[global_thread()] = s.v[63 - threadIdx.x];
}
CAIRN_KERNEL void reversal_dynamic(const float* x, float* y) {
  float* s = dynamic_shared<float>();
  s[threadIdx.x] = x[global_thread()];
  __syncthreads();
  y[global_thread()] = s[blockDim.x - 1 - threadIdx.x];
}

// y (1): the maximum of |x|; i (2): the number of threads, the largest index; wide: 2^33 each.
CAIRN_KERNEL void atomics(const float* x, float* y, int* i, unsigned long long* wide) {
  atomic_add(&i[0], 1);
  atomic_max(&i[1], int(global_thread()));
  atomic_add(wide, 1ull << 33);
  atomic_max(y, fabsf(x[global_thread()]));
}

// y (64,4): x (64,4) through shared memory, twice; the upper half of the second copy is zeros.
CAIRN_KERNEL void async_copies(const float* x, float* y) {
  float* s = dynamic_shared<float>();
  const int t = threadIdx.x, at = 4 * t;
  cp_async_16(&s[at], &x[at]);
  cp_async_commit();
  cp_async_16(&s[256 + at], &x[at], t < 32);
  cp_async_commit();
  cp_async_wait<1>();
  sync_threads();
  float first = s[4 * (63 - t)];
  cp_async_wait<0>();
  sync_threads();
  store4(&y[at], Float4{first, s[256 + at], s[256 + at + 3], 0});
}

// y (64,4) = x (64,4) + 1, through vectors of 16, 8 and 16 bytes.
CAIRN_KERNEL void vectors(const float* x, float* y) {
  const int t = threadIdx.x;
  const Float4 all4 = load4(&x[4 * t]);
  const Float2 low2 = load2(&x[4 * t]);
  Pack<float, 4> p = load_pack<4>(&x[4 * t]);
  for (int i = 0; i < 4; ++i) p[i] += 1;
  store_pack(&y[4 * t], p);
  if (all4.x != low2.x || all4.y != low2.y) y[4 * t] = -1;
}

// One warp: y (32,16) = a b' with a (32,32) and b (16,32), rows one after the other in x; bf16.
struct MmaTiles {
  alignas(16) bf16 a[32][40], b[16][40];  // rows padded to 80 bytes: no bank conflicts
};
CAIRN_KERNEL void mma_bf16(const bf16* x, float* y) {
  auto& s = shared<MmaTiles>();
  const int l = lane_index();
  for (int i = l; i < 48 * 4; i += 32) {
    bf16* row = i / 4 < 32 ? s.a[i / 4] : s.b[i / 4 - 32];
    cp_async_16(row + i % 4 * 8, x + i * 8);
  }
  cp_async_commit();
  cp_async_wait<0>();
  sync_threads();
  float acc[2][2][4] = {};
  for (int k = 0; k < 32; k += 16) {
    unsigned a[2][4], b[2][2];
    for (int i = 0; i < 2; ++i)
      ldmatrix_x4(a[i][0], a[i][1], a[i][2], a[i][3], &s.a[16 * i + l % 16][k + l / 16 * 8]);
    ldmatrix_x4(b[0][0], b[0][1], b[1][0], b[1][1], &s.b[l / 16 * 8 + l % 8][k + l / 8 % 2 * 8]);
    mma_tile(acc, a, b);
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j)
      for (int r = 0; r < 4; ++r)
        y[(16 * i + l / 4 + r / 2 * 8) * 16 + 8 * j + l % 4 * 2 + r % 2] = acc[i][j][r];
}

// The same with b given transposed, (32,16), and loaded by ldmatrix_x4_trans.
struct TransposedTiles {
  alignas(16) bf16 a[32][40], b[32][24];
};
CAIRN_KERNEL void mma_bf16_trans(const bf16* x, float* y) {
  auto& s = shared<TransposedTiles>();
  const int l = lane_index();
  for (int i = l; i < 32 * 32; i += 32) s.a[i / 32][i % 32] = x[i];
  for (int i = l; i < 32 * 16; i += 32) s.b[i / 16][i % 16] = x[1024 + i];
  sync_threads();
  float acc[2][2][4] = {};
  for (int k = 0; k < 32; k += 16) {
    unsigned a[2][4], b[2][2];
    for (int i = 0; i < 2; ++i)
      ldmatrix_x4(a[i][0], a[i][1], a[i][2], a[i][3], &s.a[16 * i + l % 16][k + l / 16 * 8]);
    ldmatrix_x4_trans(b[0][0], b[0][1], b[1][0], b[1][1], &s.b[k + l % 16][l / 16 * 8]);
    mma_tile(acc, a, b);
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j)
      for (int r = 0; r < 4; ++r)
        y[(16 * i + l / 4 + r / 2 * 8) * 16 + 8 * j + l % 4 * 2 + r % 2] = acc[i][j][r];
}

// One warp: y (16,8) = a b' with a (16,8) and b (8,8) in float32, rounded to tf32.
CAIRN_KERNEL void mma_tf32(const float* x, float* y) {
  const int l = lane_index(), g = l / 4, p = l % 4;
  const float* b_rows = x + 128;
  unsigned a[1][4] = {{to_tf32(x[g * 8 + p]), to_tf32(x[(g + 8) * 8 + p]),
                       to_tf32(x[g * 8 + p + 4]), to_tf32(x[(g + 8) * 8 + p + 4])}};
  unsigned b[1][2] = {{to_tf32(b_rows[g * 8 + p]), to_tf32(b_rows[g * 8 + p + 4])}};
  float acc[1][1][4] = {};
  mma_tile_tf32(acc, a, b);
  for (int r = 0; r < 4; ++r) y[(g + r / 2 * 8) * 8 + p * 2 + r % 2] = acc[0][0][r];
}

// y (64 blocks + 65): x; what the last block sees of it, summed over the blocks; the counter.
CAIRN_KERNEL void last_block(const float* x, float* y, int* counter) {
  y[global_thread()] = x[global_thread()];
  if (!arrives_last(counter, int(gridDim.x))) return;
  float sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += y[64 * b + threadIdx.x];
  y[64 * gridDim.x + threadIdx.x] = sum;
}

// y (64): the block of a two-dimensional launch that wrote it, and the thread.
CAIRN_KERNEL void indices(float* y) {
  const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  y[block * 8 + thread_rank()] =
      float(1000 * block + 100 * threadIdx.z + 10 * threadIdx.y + threadIdx.x);
}

}  // namespace

void run_primitive(const std::string& name, const Tensor& x, Tensor& y) {
  const char* n = name.c_str();
  const auto plain = [&](auto kernel, int blocks, int threads, size_t shared) {
    launch(n, kernel, blocks, threads, shared, x.data<float>(), y.data<float>());
  };
  if (name == "shuffles") return plain(shuffles, 1, 64, 0);
  if (name == "half_warps") return plain(half_warps, 1, 64, 0);
  if (name == "votes") return plain(votes, 1, 64, 0);
  if (name == "reductions") return plain(reductions, 1, 64, 0);
  if (name == "reversal") return plain(reversal, int(x.count() / 64), 64, 0);
  if (name == "reversal_dynamic") return plain(reversal_dynamic, int(x.count() / 64), 64, 256);
  if (name == "async_copies") return plain(async_copies, 1, 64, 2048);
  if (name == "vectors") return plain(vectors, 1, 64, 0);
  if (name == "mma_tf32") return plain(mma_tf32, 1, 32, 0);
  if (name == "mma_bf16") return launch(n, mma_bf16, 1, 32, 0, x.data<bf16>(), y.data<float>());
  if (name == "mma_bf16_trans")
    return launch(n, mma_bf16_trans, 1, 32, 0, x.data<bf16>(), y.data<float>());
  if (name == "last_block")
    return launch(n, last_block, int(x.count() / 64), 64, 0, x.data<float>(), y.data<float>(),
                  reinterpret_cast<int*>(y.data<float>() + x.count() + 64));
  if (name == "indices")
    return launch(n, indices, Dim3(2, 2, 2), Dim3(2, 2, 2), 0, y.data<float>());
  if (name == "nothing") return plain(reversal, 0, 64, 0);
  if (name == "too_large") return plain(reversal, 1, 2048, 0);
  if (name == "atomics") {  // y (6): the maximum, two ints, a gap, 64 bits
    auto* i = reinterpret_cast<int*>(y.data<float>() + 1);
    auto* wide = reinterpret_cast<unsigned long long*>(y.data<float>() + 4);
    return launch(n, atomics, int(x.count() / 64), 64, 0, x.data<float>(), y.data<float>(), i,
                  wide);
  }
  throw Error("run_primitive", name + " is not there", "a kernel of this file", "add it");
}

}  // namespace cairn::CAIRN_NS
