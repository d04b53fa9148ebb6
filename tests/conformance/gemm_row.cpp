// gemm: C = op(A) op(B).
#include "kernels/gemm/gemm.h"
#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

Case gemm_case(int64_t M, int64_t N, int64_t K, bool ta, bool tb) {
  Case c;
  c.label = text("M=", M, " N=", N, " K=", K, ta ? " a transposed" : "", tb ? " b transposed" : "");
  c.inputs = {normal(ta ? Shape{K, M} : Shape{M, K}, 1), normal(tb ? Shape{N, K} : Shape{K, N}, 2)};
  c.formula = [=](const Tensors& x) {
    Tensor y = zeros64({M, N});
    for (int64_t m = 0; m < M; ++m)
      for (int64_t n = 0; n < N; ++n)
        for (int64_t k = 0; k < K; ++k)
          y.data<double>()[m * N + n] +=
              in(x[0])[ta ? k * M + m : m * K + k] * in(x[1])[tb ? n * K + k : k * N + n];
    return Tensors{y};
  };
  c.forward = [=](const Tensors& x) {
    Tensor y = x[0].empty_like({M, N});
    gemm(x[0], ta, x[1], tb, y);
    return Tensors{y};
  };
  c.bf16_tolerance = 1e-2;
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dout) {
    Tensor da = x[0].empty_like(), db = x[1].empty_like();
    if (ta)
      gemm(x[1], tb, dout[0], true, da);
    else
      gemm(dout[0], false, x[1], !tb, da);
    if (tb)
      gemm(dout[0], true, x[0], ta, db);
    else
      gemm(x[0], !ta, dout[0], false, db);
    return Tensors{da, db};
  };
  return c;
}

Row gemm_row() {
  Row row{"gemm", {}};
  for (bool ta : {false, true})
    for (bool tb : {false, true}) {
      row.cases.push_back(gemm_case(1, 1, 1, ta, tb));
      row.cases.push_back(gemm_case(3, 2, 0, ta, tb));
      row.cases.push_back(gemm_case(37, 65, 29, ta, tb));
      row.cases.push_back(gemm_case(130, 33, 300, ta, tb));
      row.cases.push_back(gemm_case(136, 72, 104, ta, tb));  // runs of 8: the tensor cores' tile
    }
  // Enough rows for the large tiles of cuda and simt; the gradients have no other ones.
  for (Case large : {gemm_case(16290, 33, 3, false, true), gemm_case(16290, 72, 8, false, true),
                     gemm_case(16290, 72, 8, false, false)}) {
    large.backward = {};
    row.cases.push_back(large);
  }
  row.cases.push_back(gemm_case(0, 5, 7, false, false));
  row.cases.push_back(gemm_case(17, 20, 4500, true, false));
  return row;
}

const bool added = add_row(gemm_row());

}  // namespace
}  // namespace cairn::conformance
