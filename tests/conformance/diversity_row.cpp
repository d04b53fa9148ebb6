// diversity: the overlap of the maps, by the largest channel of each pixel or by their products.
#include "kernels/loss/diversity.h"

#include <algorithm>

#include "runtime/error.h"
#include "tests/conformance/conformance.h"

namespace cairn::conformance {
namespace {

double formula(const Tensor& p, DiversityForm form) {
  const int64_t N = p.dim(0), K = p.dim(3);
  double sum = 0;
  for (int64_t u = 0; u < p.count(); u += K) {
    if (form == DiversityForm::linear) sum -= *std::max_element(in(p) + u, in(p) + u + K);
    for (int64_t r = 0; r < K && form == DiversityForm::quadratic; ++r)
      for (int64_t s = 0; s < K; ++s) sum += r == s ? 0 : in(p)[u + r] * in(p)[u + s];
  }
  if (N == 0) return 0;
  return form == DiversityForm::linear ? double(K) + sum / double(N)
                                       : sum / double(N) / double(K * K);
}

Case diversity_case(const Tensor& p, DiversityForm form, const char* what = "") {
  Case c;
  c.label = text("p=", p.shape(), form == DiversityForm::linear ? " linear" : " quadratic", what);
  c.inputs = {p};
  c.formula = [=](const Tensors& x) {
    return Tensors{Tensor::full({1}, formula(x[0], form), DType::f64)};
  };
  c.forward = [=](const Tensors& x) {
    Tensor loss = x[0].empty_like({1});
    diversity(x[0], form, loss);
    return Tensors{loss};
  };
  c.backward = [=](const Tensors& x, const Tensors&, const Tensors& dout) {
    Tensor dp = x[0].empty_like();
    diversity_backward(x[0], form, dout[0], dp);
    return Tensors{dp};
  };
  return c;
}

Case with_ties(DiversityForm form) {
  Case c = diversity_case(whole({2, 5, 4, 37}, 3, 0, 2), form, " ties");
  c.differences = false;
  return c;
}

Row row() {
  Row r{"diversity", {}};
  for (DiversityForm form : {DiversityForm::linear, DiversityForm::quadratic}) {
    for (const Shape& s : {Shape{1, 1, 1, 1}, Shape{0, 4, 4, 3}, Shape{2, 7, 5, 3},
                           Shape{1, 17, 9, 10}, Shape{2, 3, 4, 65}, Shape{3, 33, 31, 8}})
      r.cases.push_back(diversity_case(uniform(s, 3, 0, 1), form));
    r.cases.push_back(with_ties(form));
  }
  return r;
}

const bool added = add_row(row());

}  // namespace
}  // namespace cairn::conformance
