#pragma once
// A convolution's weights and bias in float32, for the paths on the CPU that compute bf16 in it.
#include "kernels/conv/conv2d.h"
#include "kernels/elementwise/cast.h"

namespace cairn {

struct ExactStep {
  ExactStep(const Tensor& weights, const Epilogue& e)
      : w(as_type(weights, DType::f32)), epilogue(e) {
    if (!e.bias) return;
    bias = as_type(*e.bias, DType::f32);
    epilogue.bias = &bias;
  }
  ExactStep(const ExactStep&) = delete;

  Tensor w, bias;
  Epilogue epilogue;
};

}  // namespace cairn
