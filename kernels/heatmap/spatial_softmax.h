#pragma once
// spatial_softmax: one distribution over the pixels of every channel.
//
//   z, h  [N,H,W,K]; f32 (f64 on cpu)
//   h_u = exp(gain (z_u - max z)) / S,  S = sum over the H*W pixels u of the same image and channel
//
// Gradient:  dz_u = gain h_u (dh_u - sum_w dh_w h_w).
//
// Gains in use: 1 (AutoLink), 5 (Keypoint3D), 10 (temperature 0.1), 50 (DVE's regressor).
#include "kernels/dispatch.h"

namespace cairn {

CAIRN_ON_EACH_DEVICE(void spatial_softmax(const Tensor& z, double gain, Tensor& h);
                     void spatial_softmax_backward(const Tensor& h, const Tensor& dh, double gain,
                                                   Tensor& dz);)

inline void spatial_softmax(const Tensor& z, double gain, Tensor& h) {
  CAIRN_DISPATCH(h.device(), spatial_softmax, z, gain, h);
}

/// `h` is what the forward returned.
inline void spatial_softmax_backward(const Tensor& h, const Tensor& dh, double gain, Tensor& dz) {
  CAIRN_DISPATCH(dz.device(), spatial_softmax_backward, h, dh, gain, dz);
}

}  // namespace cairn
