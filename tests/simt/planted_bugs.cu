// Kernels with one bug each, and the same kernels without it. tests/simt/planted_bugs_test.cpp
// expects the report of a bug to name the lines that carry a comment with its name.
//
// x, y (256) floats; one block of 64 threads, or two where the bug is between blocks.
#include "kernels/device.h"
#include "runtime/error.h"
#include "tests/simt/kernels.h"

namespace cairn::CAIRN_NS {
namespace {

struct Row {
  alignas(16) float v[64];
};

// ---- barriers ----------------------------------------------------------------------------------

template <bool Corrected>
CAIRN_KERNEL void missing_barrier(const float* x, float* y) {
  auto& s = shared<Row>();
  const int t = threadIdx.x;
  s.v[t] = x[t];  // missing_barrier
  if (Corrected) sync_threads();
  y[t] = s.v[t ^ 32];  // missing_barrier
}

// The second round overwrites what slow threads still read.
template <bool Corrected>
CAIRN_KERNEL void missing_second_barrier(const float* x, float* y) {
  auto& s = shared<Row>();
  const int t = threadIdx.x;
  float sum = 0;
  for (int round = 0; round < 2; ++round) {
    s.v[t] = x[64 * round + t];  // missing_second_barrier
    sync_threads();
    sum += s.v[63 - t];  // missing_second_barrier
    if (Corrected) sync_threads();
  }
  y[t] = sum;
}

template <bool Corrected>
CAIRN_KERNEL void divergent_barrier(const float* x, float* y) {
  auto& s = shared<Row>();
  const int t = threadIdx.x;
  s.v[t] = x[t];
  if (Corrected) {
    sync_threads();
    if (t < 40) y[t] = s.v[t + 1];
  } else if (t < 40) {
    sync_threads();  // divergent_barrier
    y[t] = s.v[t + 1];
  }
}

template <bool Corrected>
CAIRN_KERNEL void two_barriers(const float* x, float* y) {
  const int t = threadIdx.x;
  if (Corrected) {
    y[t] = t < 32 ? x[t] : -x[t];
    sync_threads();
  } else if (t < 32) {
    y[t] = x[t];
    sync_threads();  // two_barriers
  } else {
    y[t] = -x[t];
    sync_threads();  // two_barriers
  }
}

template <bool Corrected>
CAIRN_KERNEL void early_return(const float* x, float* y) {
  const int t = threadIdx.x;
  if (!Corrected && t >= 50) return;
  sync_threads();  // early_return
  if (t < 50) y[t] = x[t];
}

// ---- a warp's collectives ----------------------------------------------------------------------

// Half of the warp is named, all of it calls.
template <bool Corrected>
CAIRN_KERNEL void caller_outside_mask(const float* x, float* y) {
  const unsigned mask = Corrected ? full_warp : 0x0000ffffu;
  y[threadIdx.x] = shuffle_xor(mask, x[threadIdx.x], 1);  // caller_outside_mask
}

// All lanes are named, half of them call.
template <bool Corrected>
CAIRN_KERNEL void lanes_missing(const float* x, float* y) {
  const int t = threadIdx.x;
  if (lane_index() < 16)
    y[t] = shuffle_xor(Corrected ? 0x0000ffffu : full_warp, x[t], 1);  // lanes_missing
  sync_threads();                                                      // lanes_missing
}

template <bool Corrected>
CAIRN_KERNEL void masks_differ(const float* x, float* y) {
  const int t = threadIdx.x;
  const unsigned mask = Corrected || lane_index() != 7 ? full_warp : 0x000000ffu;
  y[t] = shuffle(mask, x[t], 0);  // masks_differ
}

template <bool Corrected>
CAIRN_KERNEL void source_outside_mask(const float* x, float* y) {
  const int t = threadIdx.x;
  if (lane_index() < 16)
    y[t] = shuffle(0x0000ffffu, x[t], Corrected ? 3 : 20);  // source_outside_mask
}

// ---- memory that others use --------------------------------------------------------------------

// A shuffle orders no memory, even within a warp.
template <bool Corrected>
CAIRN_KERNEL void missing_sync_warp(const float* x, float* y) {
  auto& s = shared<Row>();
  const int t = threadIdx.x;
  s.v[t] = x[t];  // missing_sync_warp
  shuffle_xor(full_warp, x[t], 1);
  if (Corrected) sync_warp();
  y[t] = s.v[t ^ 1];  // missing_sync_warp
}

template <bool Corrected>
CAIRN_KERNEL void blocks_write_one_place(const float* x, float* y) {
  const int64_t i = global_thread();
  y[Corrected ? i : i % 64] = x[i];  // blocks_write_one_place
}

// The last of two blocks adds up what both wrote; y[255] is the counter.
struct Answer {
  bool last;
};
template <bool Corrected>
CAIRN_KERNEL void counted_but_unordered(const float* x, float* y) {
  using Counter [[gnu::may_alias]] = int;
  auto& answer = shared<Answer>();
  const int t = threadIdx.x;
  auto* counter = reinterpret_cast<Counter*>(y + 255);
  y[global_thread()] = x[global_thread()];  // counted_but_unordered
  if (Corrected) {
    if (!arrives_last(counter, 2)) return;
  } else {
    sync_threads();
    if (t == 0) answer.last = atomic_add(counter, 1) == 1;
    sync_threads();
    if (!answer.last) return;
  }
  y[128 + t] = y[t] + y[64 + t];  // counted_but_unordered
}

// What a block writes after it has arrived, the last one does not see.
template <bool Corrected>
CAIRN_KERNEL void written_after_arriving(const float* x, float* y) {
  using Counter [[gnu::may_alias]] = int;
  const int t = threadIdx.x;
  auto* counter = reinterpret_cast<Counter*>(y + 255);
  if (Corrected) y[global_thread()] = x[global_thread()];
  const bool last = arrives_last(counter, 2);
  if (!Corrected) y[global_thread()] = x[global_thread()];  // written_after_arriving
  sync_threads();
  if (last) y[128 + t] = y[t] + y[64 + t];  // written_after_arriving
}

template <bool Corrected>
CAIRN_KERNEL void atomic_and_plain(const float* x, float* y) {
  if (Corrected || threadIdx.x != 5)
    atomic_max(&y[0], x[threadIdx.x]);  // atomic_and_plain
  else
    y[0] = x[5];  // atomic_and_plain
}

template <bool Corrected>
CAIRN_KERNEL void read_before_write(const float* x, float* y) {
  auto& s = shared<Row>();
  const int t = threadIdx.x;
  if (Corrected || t != 63) s.v[t] = x[t];
  sync_threads();
  y[t] = s.v[63 - t];  // read_before_write
}

template <bool Corrected>
CAIRN_KERNEL void copy_not_waited_for(const float* x, float* y) {
  auto& s = shared<Row>();
  const int t = threadIdx.x;
  if (t < 16) cp_async_16(&s.v[4 * t], &x[4 * t]);  // copy_not_waited_for
  cp_async_commit();
  cp_async_wait<Corrected ? 0 : 1>();
  sync_threads();
  y[t] = s.v[t];  // copy_not_waited_for
}

template <bool Corrected>
CAIRN_KERNEL void copy_without_barrier(const float* x, float* y) {
  auto& s = shared<Row>();
  const int t = threadIdx.x;
  if (t < 16) cp_async_16(&s.v[4 * t], &x[4 * t]);
  cp_async_commit();
  cp_async_wait<0>();
  if (Corrected) sync_threads();
  y[t] = s.v[t];  // copy_without_barrier
}

// ---- ranges and alignment ----------------------------------------------------------------------

template <bool Corrected>
CAIRN_KERNEL void static_index(const float* x, float* y) {
  auto& s = shared<Row>();
  const int t = threadIdx.x;
  s.v[Corrected ? t : t + 1] = x[t];  // static_index
  sync_threads();
  y[t] = s.v[t ? t : 1];
}

template <bool Corrected>
CAIRN_KERNEL void dynamic_index(const float* x, float* y) {
  float* s = dynamic_shared<float>();
  const int t = threadIdx.x;
  s[Corrected ? t : t + 1] = x[t];  // dynamic_index
  sync_threads();
  y[t] = s[t ? t : 1];
}

template <bool Corrected>
CAIRN_KERNEL void device_index(const float* x, float* y) {
  const int64_t i = global_thread();
  y[i] = x[Corrected ? i : i + 200];  // device_index
}

template <bool Corrected>
CAIRN_KERNEL void misaligned_load(const float* x, float* y) {
  const Float4 v = load4(x + (Corrected ? 4 : 1) * threadIdx.x);  // misaligned_load
  y[threadIdx.x] = v.x + v.w;
}

template <class Wrong, class Right>
void launch_one(const std::string& name, bool corrected, Wrong wrong, Right right, const Tensor& x,
                Tensor& y) {
  const bool between_blocks = name == "blocks_write_one_place" || name == "counted_but_unordered" ||
                              name == "written_after_arriving";
  const int blocks = between_blocks ? 2 : 1;
  const size_t dynamic = name == "dynamic_index" ? 64 * sizeof(float) : 0;
  launch(name.c_str(), corrected ? right : wrong, blocks, 64, dynamic, x.data<float>(),
         y.data<float>());
}

}  // namespace

#define CAIRN_PLANTED(kernel) \
  if (name == #kernel) return launch_one(name, corrected, kernel<false>, kernel<true>, x, y);

void run_planted(const std::string& name, bool corrected, const Tensor& x, Tensor& y) {
  CAIRN_PLANTED(missing_barrier)
  CAIRN_PLANTED(missing_second_barrier)
  CAIRN_PLANTED(divergent_barrier)
  CAIRN_PLANTED(two_barriers)
  CAIRN_PLANTED(early_return)
  CAIRN_PLANTED(caller_outside_mask)
  CAIRN_PLANTED(lanes_missing)
  CAIRN_PLANTED(masks_differ)
  CAIRN_PLANTED(source_outside_mask)
  CAIRN_PLANTED(missing_sync_warp)
  CAIRN_PLANTED(blocks_write_one_place)
  CAIRN_PLANTED(counted_but_unordered)
  CAIRN_PLANTED(written_after_arriving)
  CAIRN_PLANTED(atomic_and_plain)
  CAIRN_PLANTED(read_before_write)
  CAIRN_PLANTED(copy_not_waited_for)
  CAIRN_PLANTED(copy_without_barrier)
  CAIRN_PLANTED(static_index)
  CAIRN_PLANTED(dynamic_index)
  CAIRN_PLANTED(device_index)
  CAIRN_PLANTED(misaligned_load)
  throw Error("run_planted", name + " is not there", "a kernel of this file", "add it");
}

}  // namespace cairn::CAIRN_NS
