#pragma once
// How products of float32 tensors are computed on devices with tensor cores.

namespace cairn {

/// Whether both factors are rounded to TF32 (10 bits of mantissa instead of 23) before they are
/// multiplied on tensor cores; sums stay in float32. It concerns matrix products and convolutions,
/// those of the residual block too, on simt and cuda whose rows are whole runs of 16 bytes. Off at
/// the start, for the whole process.
bool tf32_products();
void set_tf32_products(bool on);

}  // namespace cairn
