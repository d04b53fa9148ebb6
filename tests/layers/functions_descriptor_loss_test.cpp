#include "layers/functions_descriptor_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "layers/functions_descriptor.h"
#include "runtime/error.h"
#include "tests/layers/gradient_check.h"

namespace cairn {
namespace {

// One pair of 1 x n cells with the given descriptors: the image's first, then the partner's.
struct OnePair {
  Tape tape;
  Var descriptors;
  PairGeometry geometry;

  OnePair(int64_t n, int64_t C, const std::vector<double>& values, double shift = 0)
      : descriptors(tape.leaf(Tensor::from<double>({2, 1, n, C}, values))),
        geometry{Tensor::from<double>({1, 9}, {1, 0, shift, 0, 1, 0, 0, 0, 1}),
                 Tensor::full({1, 1, n}, 1, DType::u8)} {}
};

// D = [[.9, .1], [.2, .8]] with the unit vectors as the image's descriptors.
OnePair golden_pair() { return {2, 2, {1, 0, 0, 1, 0.9, 0.2, 0.1, 0.8}}; }

TEST(DescriptorLoss, DoubleNormOnTwoByTwoCellsHasItsGoldenValues) {
  OnePair p = golden_pair();
  const DescriptorLoss loss = descriptor_double_norm(p.descriptors, p.geometry, {});
  EXPECT_NEAR(loss.total.value().item(), 0.0097044178, 1e-10);
  p.tape.backward(loss.total);
  // The partner's gradient is that of D, transposed.
  const std::vector<double> grad = p.descriptors.grad().values<double>();
  const double want[] = {-0.00094157, 0.26649072, 0.00847411, -0.06662268};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(grad[4 + i], want[i], 1e-8);
}

TEST(DescriptorLoss, PaperOnTwoByTwoCellsByHand) {
  OnePair p = golden_pair();
  HingeOptions o;
  o.positive_weight = 250;
  o.negative_margin = 0.15;
  o.reduction = PairReduction::mean_n;
  const DescriptorLoss loss = descriptor_hinge(p.descriptors, p.geometry, o);
  EXPECT_NEAR(loss.total.value().item(), (250 * (0.1 + 0.2) + 0.05) / 2, 1e-12);
  p.tape.backward(loss.total);
  const std::vector<double> grad = p.descriptors.grad().values<double>();
  const double want[] = {-125, 0.5, 0, -125};  // G transposed: .1 is within its margin
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(grad[4 + i], want[i], 1e-12);
}

TEST(DescriptorLoss, TermsTellMatchesFromOthers) {
  OnePair p = golden_pair();
  const std::vector<double> terms =
      descriptor_double_norm(p.descriptors, p.geometry, {}).terms.values<double>();
  EXPECT_NEAR(terms[0] + terms[1], 0.0097044178, 1e-10);
  EXPECT_NEAR(terms[2], 0.85, 1e-12);
  EXPECT_NEAR(terms[3], 0.15, 1e-12);
}

// The homography takes pixels of the image to its partner: 8 pixels to the right is the next cell.
TEST(DescriptorLoss, CellsMatchWhereTheHomographyTakesThem) {
  std::vector<double> identity(2 * 3 * 3);
  for (int i = 0; i < 3; ++i) identity[3 * i + i] = 1;
  for (int i = 1; i < 3; ++i)
    identity[9 + 3 * i + i - 1] = 1;  // the partner's i is the image's i - 1
  OnePair right(3, 3, identity, 8), left(3, 3, identity, -8);
  HingeOptions o;
  const auto cosine = [&](OnePair& p) {
    return descriptor_hinge(p.descriptors, p.geometry, o).terms.values<double>()[2];
  };
  EXPECT_EQ(cosine(right), 1);
  EXPECT_EQ(cosine(left), 0);
}

TEST(DescriptorLoss, SparseStartsNearItsMarginForRandomDescriptors) {
  Tape tape;
  const Var x = l2_normalize(tape.leaf(normal64({2, 10, 12, 64}, 1)));
  const PairGeometry g{Tensor::from<double>({1, 9}, {1, 0, 3.25, 0, 1, 2, 0, 0, 1}),
                       Tensor::full({1, 10, 12}, 1, DType::u8)};
  const DescriptorLoss loss = descriptor_sparse(x, g, {});
  EXPECT_NEAR(loss.total.value().item(), 1, 0.2);  // matches at cosine 0, few others above 0.2
}

TEST(DescriptorLoss, SparseDrawsTheSameCellsForTheSamePairAndOthersForAnother) {
  const Tensor x = normal64({2, 10, 12, 16}, 1);
  const auto loss = [&](double shift) {
    Tape tape;
    const PairGeometry g{Tensor::from<double>({1, 9}, {1, 0, shift, 0, 1, 2, 0, 0, 1}),
                         Tensor::full({1, 10, 12}, 1, DType::u8)};
    return descriptor_sparse(l2_normalize(tape.leaf(x)), g, {}, {30, 5}).total.value().item();
  };
  EXPECT_EQ(loss(3.25), loss(3.25));
  EXPECT_NE(loss(3.25), loss(3.5));  // the same cells match: only the draw differs
}

TEST(DescriptorLoss, NamesEverythingThatDoesNotFit) {
  Tape tape;
  const Var x = tape.leaf(normal64({4, 3, 5, 8}, 1));
  const PairGeometry g{Tensor::zeros({4, 9}), Tensor::zeros({2, 5, 3}, DType::i32)};
  try {
    descriptor_double_norm(x, g, {});
    FAIL();
  } catch (const Error& e) {
    for (const char* part : {"one homography to a pair", "homography is f32", "valid is i32",
                             "the partners' cells", "[4,3,5,8]", "[4,9]", "[2,5,3]"})
      EXPECT_NE(e.wrong.find(part), std::string::npos) << part << " is not in: " << e.wrong;
  }
}

}  // namespace
}  // namespace cairn
