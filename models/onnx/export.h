#pragma once
// Models as ONNX files, for other runtimes. The graph is what the model ran: its raw outputs are
// traced once (layers/trace.h) with norms folded as for inference, and written with weights
// embedded in ONNX's layout N,C,H,W.
#include <string>

#include "models/model.h"

namespace cairn {

struct OnnxOptions {
  int64_t height = 0, width = 0;  ///< of the input; 0: left open, and the batch too
};

/// The network: image [N,C,H,W] in [0,1] -> Model::raw_outputs(), rank-4 ones as N,C,H,W. Throws an
/// Error when the model calls a function that has no form in ONNX, or the size does not suit it.
std::string onnx_network(Model& model, const OnnxOptions& options);

/// SuperPoint with its points, N images at once and K = detect.top_k of each:
///   keypoints    [N,K,2] (x, y) in pixels, best first
///   scores       [N,K]
///   descriptors  [N,K,256] of unit length; absent without the head
///   count        [N] int64: how many are points; beyond them all is 0
/// The graph looks at the image once, whatever the model's scales.
/// Suppression is that of kernels/points/nms_maxpool.h with enough rounds to equal the greedy one
/// on nearly all images. Throws a UsageError for another model or a top_k of 0.
std::string onnx_keypoints(Model& model, const OnnxOptions& options, const DetectOptions& detect);

}  // namespace cairn
