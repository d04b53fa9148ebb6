#include "layers/functions_descriptor_loss.h"

#include "kernels/loss/descriptor_double_norm.h"
#include "kernels/loss/descriptor_draw.h"
#include "kernels/loss/descriptor_hinge.h"
#include "kernels/warp/warped_centres.h"
#include "layers/check.h"

namespace cairn {
namespace {

// The two sides of the descriptors, checked, and where the images' cells lie in the partners.
DescriptorPairs make_pairs(const char* op, const Var& descriptors, const PairGeometry& g) {
  const Tensor& x = descriptors.value();
  Check check(op);
  check.argument("descriptors", x).argument("homography", g.homography).argument("valid", g.valid);
  check.require(x.rank() == 4 && x.dim(0) % 2 == 0, "the descriptors are not those of pairs");
  if (check.fine()) {
    check.require(g.homography.shape() == Shape{x.dim(0) / 2, 9},
                  "there is not one homography to a pair");
    check.require(g.valid.shape() == Shape{x.dim(0) / 2, x.dim(1), x.dim(2)},
                  "valid has not the partners' cells");
  }
  check.alike("homography", g.homography, "descriptors", x);
  check.require(g.valid.dtype() == DType::u8 || g.valid.dtype() == x.dtype(), "valid is ",
                g.valid.dtype());
  check.together("valid", g.valid, "descriptors", x);
  check.require(g.cell > 0, "a cell has ", g.cell, " pixels");
  check.done("descriptors [2N,h,w,C], homography [N,9], valid [N,h,w]",
             "batch N images, then their N partners in the same order");

  const int64_t n = x.dim(0) / 2;
  Tensor centres = x.empty_like({n, x.dim(1), x.dim(2), 2});
  warped_centres(g.homography, g.cell, centres);
  return {x.rows(0, n), x.rows(n, 2 * n), centres, g.valid};
}

// `backward(dloss, da, db)` writes the gradients of both sides.
template <class F>
DescriptorLoss record(const char* op, const Var& descriptors, const Tensor& loss,
                      const Tensor& terms, F backward) {
  const int64_t n = descriptors.dim(0) / 2;
  const Var total = descriptors.tape().record(op, {descriptors}, loss,
                                              [n, backward](const Tensor& dloss, Grads& grads) {
                                                Tensor* dx = grads.want(0);
                                                if (!dx) return;
                                                Tensor da = dx->rows(0, n), db = dx->rows(n, 2 * n);
                                                backward(dloss, da, db);
                                              });
  return {total, terms};
}

}  // namespace

DescriptorLoss descriptor_hinge(const Var& descriptors, const PairGeometry& geometry,
                                const HingeOptions& options) {
  const char* const op = "descriptor_hinge";
  const DescriptorPairs pairs = make_pairs(op, descriptors, geometry);
  const Tensor& model = descriptors.value();
  Tensor factor = model.empty_like(Shape{1}), terms = model.empty_like({4}),
         loss = model.empty_like(Shape{});
  descriptor_hinge(pairs, options, factor, terms, loss);
  return record(op, descriptors, loss, terms,
                [pairs, options, factor](const Tensor& dloss, Tensor& da, Tensor& db) {
                  descriptor_hinge_backward(pairs, options, factor, dloss, da, db);
                });
}

DescriptorLoss descriptor_double_norm(const Var& descriptors, const PairGeometry& geometry,
                                      const HingeOptions& options) {
  const char* const op = "descriptor_double_norm";
  const DescriptorPairs pairs = make_pairs(op, descriptors, geometry);
  const Tensor& model = descriptors.value();
  const Shape cells{pairs.a.dim(0), pairs.a.dim(1), pairs.a.dim(2)};
  DoubleNorms norms{model.empty_like(Shape{1}), model.empty_like(cells), model.empty_like(cells),
                    model.empty_like(cells)};
  Tensor terms = model.empty_like({4}), loss = model.empty_like(Shape{});
  descriptor_double_norm(pairs, options, norms, terms, loss);
  return record(op, descriptors, loss, terms,
                [pairs, options, norms](const Tensor& dloss, Tensor& da, Tensor& db) {
                  descriptor_double_norm_backward(pairs, options, norms, dloss, da, db);
                });
}

DescriptorLoss descriptor_sparse(const Var& descriptors, const PairGeometry& geometry,
                                 const SparseOptions& options, const SparseSampling& sampling) {
  const char* const op = "descriptor_sparse";
  const DescriptorPairs all = make_pairs(op, descriptors, geometry);
  const Tensor& model = descriptors.value();
  const int64_t n = all.a.dim(0), h = all.a.dim(1), w = all.a.dim(2);
  Tensor matches = Tensor::empty({n, h, w}, DType::i32, model.device()),
         offsets = Tensor::empty({n, sampling.negatives}, DType::i32, model.device());
  descriptor_draw(geometry.homography, all.centres, all.valid, sampling.samples, matches, offsets);

  const SparsePairs pairs{all.a, all.b, all.valid, matches, offsets};
  Tensor active = Tensor::empty({n, h * w, sampling.negatives + 1}, DType::u8, model.device());
  Tensor counts = model.empty_like({n, 2}), terms = model.empty_like({4}),
         loss = model.empty_like(Shape{});
  descriptor_sparse(pairs, options, active, counts, terms, loss);
  return record(op, descriptors, loss, terms,
                [pairs, options, active, counts](const Tensor& dloss, Tensor& da, Tensor& db) {
                  descriptor_sparse_backward(pairs, options, active, counts, dloss, da, db);
                });
}

}  // namespace cairn
