#include "runtime/cudnn_graph.h"

namespace cairn::cudnn {
namespace {

int type_of(DType type) { return type == DType::bf16 ? DATA_BFLOAT16 : DATA_FLOAT; }

}  // namespace

Graph::Graph(const Functions& f, void* handle, const CudnnConvolution& p) : f_(f), p_(p) {
  using Op = CudnnConvolution::Op;
  const int type = type_of(p.type), result = type_of(p.result);
  const bool ends = p.bias || p.relu;
  const Descriptor conv = convolution(),
                   x = image(uid_x, p.op == Op::backward_data ? result : type, p.H, p.W, p.C),
                   w = weights(p.op == Op::backward_weights ? result : type);
  if (p.op == Op::forward) {
    Descriptor y = ends ? between(uid_sum) : image(uid_y, result, p.Ho, p.Wo, p.O);
    operation(BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              {{ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, &conv},
               {ATTR_OPERATION_CONVOLUTION_FORWARD_X, &x},
               {ATTR_OPERATION_CONVOLUTION_FORWARD_W, &w},
               {ATTR_OPERATION_CONVOLUTION_FORWARD_Y, &y}},
              ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, ATTR_OPERATION_CONVOLUTION_FORWARD_BETA);
    const Descriptor out = ends ? image(uid_y, result, p.Ho, p.Wo, p.O) : y;
    if (p.bias) {
      const Descriptor biased = p.relu ? between(uid_biased) : out;
      const Descriptor b = tensor(uid_bias, type, {1, p.O, 1, 1}, {p.O, 1, p.O, p.O}, false);
      pointwise(POINTWISE_ADD, y, &b, biased);
      y = biased;
    }
    if (p.relu) pointwise(POINTWISE_RELU_FWD, y, nullptr, out);
  } else {
    const Descriptor y = image(uid_y, type, p.Ho, p.Wo, p.O);
    if (p.op == Op::backward_data)
      operation(BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                {{ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, &conv},
                 {ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, &x},
                 {ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, &w},
                 {ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, &y}},
                ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA);
    else
      operation(BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                {{ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, &conv},
                 {ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, &x},
                 {ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, &w},
                 {ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, &y}},
                ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA);
  }
  std::vector<void*> operations;
  for (const Descriptor& d : operations_) operations.push_back(d.held().get());
  Descriptor graph(f, BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  if (handle) graph.set(ATTR_OPERATIONGRAPH_HANDLE, TYPE_HANDLE, handle);
  graph.set(ATTR_OPERATIONGRAPH_OPS, TYPE_BACKEND_DESCRIPTOR, operations.data(),
            int64_t(operations.size()));
  keep(graph.finalize());
}

// What the graph refers to lives as long as it.
Descriptor Graph::keep(const Descriptor& d) {
  all_.push_back(d);
  return d;
}

Descriptor Graph::convolution() {
  Descriptor d(f_, BACKEND_CONVOLUTION_DESCRIPTOR);
  d.set(ATTR_CONVOLUTION_COMP_TYPE, TYPE_DATA_TYPE, DATA_FLOAT);
  d.set(ATTR_CONVOLUTION_CONV_MODE, TYPE_CONVOLUTION_MODE, CROSS_CORRELATION);
  d.set(ATTR_CONVOLUTION_SPATIAL_DIMS, {2});
  d.set(ATTR_CONVOLUTION_DILATIONS, {p_.dilation, p_.dilation});
  d.set(ATTR_CONVOLUTION_FILTER_STRIDES, {p_.stride, p_.stride});
  d.set(ATTR_CONVOLUTION_PRE_PADDINGS, {p_.padding, p_.padding});
  d.set(ATTR_CONVOLUTION_POST_PADDINGS, {p_.padding, p_.padding});
  return keep(d.finalize());
}

// Sizes are in the order N, C, H, W whatever lies next to what.
Descriptor Graph::tensor(int64_t uid, int type, const std::vector<int64_t>& sizes,
                         const std::vector<int64_t>& strides, bool is_virtual) {
  Descriptor d(f_, BACKEND_TENSOR_DESCRIPTOR);
  d.set(ATTR_TENSOR_DATA_TYPE, TYPE_DATA_TYPE, type);
  d.set(ATTR_TENSOR_DIMENSIONS, sizes);
  d.set(ATTR_TENSOR_STRIDES, strides);
  d.set(ATTR_TENSOR_UNIQUE_ID, {uid});
  d.set(ATTR_TENSOR_BYTE_ALIGNMENT, {16});
  if (is_virtual) d.set(ATTR_TENSOR_IS_VIRTUAL, TYPE_BOOLEAN, true);
  return keep(d.finalize());
}
Descriptor Graph::image(int64_t uid, int type, int64_t H, int64_t W, int64_t C, bool is_virtual) {
  return tensor(uid, type, {p_.N, C, H, W}, {H * W * C, 1, W * C, C}, is_virtual);
}
Descriptor Graph::between(int64_t uid) { return image(uid, DATA_FLOAT, p_.Ho, p_.Wo, p_.O, true); }
Descriptor Graph::weights(int type) {
  return tensor(uid_w, type, {p_.O, p_.C, p_.kh, p_.kw},
                {p_.kh * p_.kw * p_.C, 1, p_.kw * p_.C, p_.C}, false);
}

void Graph::operation(int type, const std::vector<std::pair<int, const Descriptor*>>& operands,
                      int alpha, int beta) {
  Descriptor d(f_, type);
  for (const auto& [attribute, operand] : operands) d.set(attribute, *operand);
  d.set(alpha, TYPE_FLOAT, 1.f);
  d.set(beta, TYPE_FLOAT, 0.f);
  operations_.push_back(keep(d.finalize()));
}

void Graph::pointwise(int mode, const Descriptor& in, const Descriptor* with,
                      const Descriptor& out) {
  Descriptor how(f_, BACKEND_POINTWISE_DESCRIPTOR);
  how.set(ATTR_POINTWISE_MODE, TYPE_POINTWISE_MODE, mode);
  how.set(ATTR_POINTWISE_MATH_PREC, TYPE_DATA_TYPE, DATA_FLOAT);
  if (mode == POINTWISE_RELU_FWD)
    how.set(ATTR_POINTWISE_NAN_PROPAGATION, TYPE_NAN_PROPOGATION, PROPAGATE_NAN);
  Descriptor d(f_, BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  d.set(ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, keep(how.finalize()));
  d.set(ATTR_OPERATION_POINTWISE_XDESC, in);
  if (with) d.set(ATTR_OPERATION_POINTWISE_BDESC, *with);
  d.set(ATTR_OPERATION_POINTWISE_YDESC, out);
  operations_.push_back(keep(d.finalize()));
}

}  // namespace cairn::cudnn
