// Tensor cores: the last lane of a warp gathers everybody's registers into small matrices,
// multiplies, and scatters the result. Layouts: PTX ISA, "Matrix Fragments for mma.m16n8k16 /
// m16n8k8".
#include <bit>
#include <cstring>
#include <vector>

#include "kernels/simt/block.h"
#include "kernels/simt/checker/checker.h"
#include "runtime/bf16.h"

namespace cairn::emulator {
namespace {

constexpr unsigned full_warp = 0xffffffffu;

float low(unsigned pair) { return std::bit_cast<float>(pair << 16); }
float high(unsigned pair) { return std::bit_cast<float>(pair & 0xffff0000u); }
// Tensor cores ignore the 13 lowest bits.
float tf32(unsigned bits) { return std::bit_cast<float>(bits & ~0x1fffu); }

// Calls set(row, column, value) for the 2 or 4 registers with which a lane holds 8 x K (or 16 x K)
// elements: register r lies at row + 8 * (r % high_rows) and in the left or the right half of K.
template <class Set>
void unpack(const unsigned* registers, int count, int lane, bool is_tf32, Set set) {
  const int rows = count / 2;  // groups of eight
  const int group = lane / 4, place = lane % 4;
  for (int r = 0; r < count; ++r) {
    const int row = group + 8 * (r % rows), half = r / rows;
    if (is_tf32) {
      set(row, place + 4 * half, tf32(registers[r]));
    } else {
      set(row, 2 * place + 8 * half, low(registers[r]));
      set(row, 2 * place + 8 * half + 1, high(registers[r]));
    }
  }
}

}  // namespace

void multiply(const Multiply& mine, Site site) {
  Multiply job = mine;
  void** lanes = runner->meet(job.tf32 ? "mma_tile_tf32" : "mma_tile", full_warp, &job, site);
  if (!lanes) return;

  static thread_local std::vector<float> scratch;
  const int M = 16 * job.I, N = 8 * job.J, K = job.tf32 ? 8 : 16;
  scratch.assign(size_t(M * K + K * N + M * N), 0.f);
  float *A = scratch.data(), *B = A + M * K, *C = B + K * N;  // (M,K), (K,N), (M,N)

  for (int l = 0; l < 32; ++l) {
    const auto& lane = *static_cast<const Multiply*>(lanes[l]);
    for (int i = 0; i < job.I; ++i)
      unpack(lane.a + 4 * i, 4, l, job.tf32,
             [&](int row, int k, float v) { A[(16 * i + row) * K + k] = v; });
    for (int j = 0; j < job.J; ++j)
      unpack(lane.b + 2 * j, 2, l, job.tf32,
             [&](int column, int k, float v) { B[k * N + 8 * j + column] = v; });
  }
  for (int m = 0; m < M; ++m)
    for (int k = 0; k < K; ++k) {
      const float a = A[m * K + k];
      for (int n = 0; n < N; ++n) C[m * N + n] += a * B[k * N + n];
    }
  for (int l = 0; l < 32; ++l) {
    const auto& lane = *static_cast<const Multiply*>(lanes[l]);
    for (int t = 0; t < job.I * job.J; ++t)
      for (int r = 0; r < 4; ++r) {
        const int row = 16 * (t / job.J) + l / 4 + 8 * (r / 2);
        const int column = 8 * (t % job.J) + 2 * (l % 4) + r % 2;
        lane.acc[4 * t + r] += C[row * N + column];
      }
  }
  runner->part();
}

void load_matrices(MatrixRegisters to, const void* row, bool transposed, Site site) {
  if (reinterpret_cast<uintptr_t>(row) % 16) misaligned(row, 16, site);
  if constexpr (checker::built)
    checker::access(row, 16, checker::Kind::read, checker::place_of(site));
  struct Deposit {
    MatrixRegisters to;
    const void* row;
  } mine{to, row};
  void** lanes =
      runner->meet(transposed ? "ldmatrix_x4_trans" : "ldmatrix_x4", full_warp, &mine, site);
  if (!lanes) return;

  uint16_t matrix[4][8][8];
  for (int l = 0; l < 32; ++l)
    std::memcpy(matrix[l / 8][l % 8], static_cast<const Deposit*>(lanes[l])->row, 16);
  for (int l = 0; l < 32; ++l)
    for (int i = 0; i < 4; ++i) {
      const int group = l / 4, pair = l % 4 * 2;
      const unsigned first = transposed ? matrix[i][pair][group] : matrix[i][group][pair];
      const unsigned second = transposed ? matrix[i][pair + 1][group] : matrix[i][group][pair + 1];
      *static_cast<const Deposit*>(lanes[l])->to.r[i] = first | second << 16;
    }
  runner->part();
}

}  // namespace cairn::emulator
