#pragma once
// Runs CUDA kernels on the host: every CUDA thread is a fiber, the blocks of a grid are spread over
// host threads. This is what kernels/simt/primitives.h calls; its users include kernels/device.h.
//
// A thread runs until it waits for others (a barrier, a warp's collective) and then jumps to the
// next one that can run. Found out on the way: a barrier that not all threads reach, two different
// barriers, collectives whose lanes disagree, misaligned accesses. What is found ends the launch
// with an Error that names kernel, block, thread and the places in the source.
#include <cstddef>
#include <functional>
#include <source_location>

#include "kernels/dim3.h"

namespace cairn::emulator {

using Site = std::source_location;

struct Launch {
  const char* kernel;
  Dim3 grid, block;
  size_t dynamic_shared;         // bytes
  std::function<void()> thread;  // what one CUDA thread does; holds the arguments by value
};

/// Runs the whole grid, or adds it to the graph that is captured (runtime/graph.h); throws an Error
/// on the first thing found.
void run(const Launch& launch);

inline thread_local constinit Dim3 threadIdx, blockIdx, blockDim, gridDim;

int lane();  ///< of the running thread

/// Memory of the running block, 0xff in every byte when the block starts. The same key is the same
/// memory.
void* shared_memory(const void* key, size_t bytes, Site site);
void* dynamic_shared_memory();

void sync_block(Site site);
void sync_warp(unsigned mask, Site site);
unsigned vote(const char* name, unsigned mask, bool mine, Site site);  ///< the lanes that said yes

/// Counts the running block; true if it is the last of `blocks`, which then sees what the others
/// wrote before.
bool arrive(int* counter, int blocks);

/// A meeting of the lanes of `mask`, each of which brings a pointer. The last to arrive gets all of
/// them, by lane, works for everyone and calls part(); the others get null when that is done.
void** meet(const char* name, unsigned mask, void* mine, Site site);
void part();

/// Poisons 16 bytes at `to` and fills them when the group is waited for; zeros for a null `from`.
void copy_16_later(void* to, const void* from, Site site);
void commit_copies();
void wait_for_copies(int groups_left, Site site);

struct MatrixRegisters {
  unsigned* r[4];
};
void load_matrices(MatrixRegisters to, const void* row, bool transposed, Site site);

/// One lane's registers of I x J tiles: acc[I][J][4] += a[I][4] b[J][2].
struct Multiply {
  float* acc;
  const unsigned *a, *b;
  int I, J;
  bool tf32;  // m16n8k8 of tf32 instead of m16n8k16 of bf16
};
void multiply(const Multiply& mine, Site site);

[[noreturn]] void outside_mask(const char* name, int lane, int source, unsigned mask, Site site);
[[noreturn]] void misaligned(const void* p, size_t alignment, Site site);

}  // namespace cairn::emulator
