// Rows of the ops of landmarks that are found without labels.
#include "kernels/gemm/grouped_linear.h"
#include "kernels/heatmap/field_moments.h"
#include "kernels/heatmap/gaussian_unpool.h"
#include "kernels/heatmap/isotropic_deviation.h"
#include "kernels/heatmap/landmark_maps.h"
#include "kernels/heatmap/mask_pool.h"
#include "kernels/loss/diversity.h"
#include "kernels/pool/window_mean.h"
#include "tools/kernel_table/maker.h"

namespace cairn {
namespace {

// Ten landmarks and the background of padded faces (Zhang et al. 2018).
void detector(const TableMaker& m) {
  const int64_t N = m.many(16, 256), K = 10;
  const Shape s{N, m.side(96), m.side(96), K + 1}, points{N, K, 2};
  const Tensor z = m.random(s, -3, 3), dmaps = m.random(s), dpoint = m.random(points),
               dvariance = m.random(points), dsigma = m.random({N, K});
  Tensor maps = m.empty(s), dz = m.empty(s), point = m.empty(points), variance = m.empty(points),
         zeta = m.empty({N, K}), sigma = m.empty({N, K});
  const double count = double(z.count());
  auto forward = [=]() mutable { landmark_maps(z, maps, point, variance, zeta); };
  m.add("landmark_maps", s, {8 * count, 25 * count}, forward);
  m.add(
      "landmark_maps backward", s, {12 * count, 20 * count},
      [=]() mutable {
        landmark_maps_backward(maps, point, variance, zeta, dmaps, dpoint, dvariance, dz);
      },
      forward);
  const double n = double(N * K);
  const Tensor spread = m.random(points, 0.01, 0.1);
  Tensor dspread = m.empty(points);
  m.add("isotropic_deviation", points, {12 * n, 5 * n},
        [=]() mutable { isotropic_deviation(spread, 1, sigma); });
  m.add("isotropic_deviation backward", points, {20 * n, 5 * n},
        [=]() mutable { isotropic_deviation_backward(spread, 1, dsigma, dspread); });
}

// The code of an autoencoder: 10 landmarks and the background, descriptors of 64 channels and 8,
// maps of 80x80 with five widths.
void code(const TableMaker& m) {
  const int64_t N = m.many(16, 16), K = 10, S = 64, C = 8, side = m.side(80);
  const std::vector<GaussianWidth> widths{{0.125}, {0.177}, {0.25}, {0.354}, {0.5}};
  const Shape features_shape{N, side, side, S}, code_shape{N, K + 1, S};
  const Tensor mask = m.random({N, side, side, K + 1}, 0, 1), features = m.random(features_shape),
               dpooled = m.random(code_shape);
  Tensor pooled = m.empty(code_shape), mass = m.empty({N, K + 1}), dmask = mask.empty_like(),
         dfeatures = features.empty_like();
  const double pixels = double(N * side * side), maps = double(K + 1);
  const double pool_bytes = double(mask.bytes() + features.bytes());
  const double pool_flops = 2 * double(features.count()) * maps;
  auto pool = [=]() mutable { mask_pool(mask, features, pooled, mass); };
  m.add("mask_pool", features_shape,
        {.bytes = pool_bytes,
         .flops = pool_flops,
         .moved = pool_bytes + 4 * pixels * maps,
         .partials = 0.2},
        pool);
  m.add(
      "mask_pool backward", features_shape,
      {.bytes = 2 * pool_bytes, .flops = 2 * pool_flops, .partials = 0.25},
      [=]() mutable {
        mask_pool_backward(mask, features, pooled, mass, dpooled, &dmask, &dfeatures);
      },
      pool);

  const Tensor x = m.random(code_shape), weight = m.random({K + 1, C, S}), bias = m.random({C}),
               dy = m.random({N, K + 1, C});
  Tensor y = m.empty({N, K + 1, C}), dx = m.empty(code_shape), dweight = weight.empty_like(),
         dbias = bias.empty_like();
  const double linear_bytes = double(x.bytes() + weight.bytes() + y.bytes());
  const double linear_flops = 2 * double(N) * double(weight.count());
  m.add("grouped_linear", code_shape, {linear_bytes, linear_flops},
        [=]() mutable { grouped_linear(x, weight, &bias, y); });
  m.add("grouped_linear backward", code_shape, {2 * linear_bytes, 2 * linear_flops},
        [=]() mutable { grouped_linear_backward(x, weight, dy, &dx, &dweight, &dbias); });

  const Tensor centre = m.random({N, K, 2}, 0, 1);
  const Shape rows_shape{N, side, side, int64_t(widths.size()) * (K + 1 + S)};
  const Tensor drows = m.random(rows_shape);
  Tensor rows_of_all = m.empty(rows_shape), dcentre = centre.empty_like(), dvalues = x.empty_like();
  const double rows = pixels * double(widths.size()), flops = 2 * rows * maps * double(S);
  m.add("gaussian_unpool", rows_shape, {4 * rows * (maps + double(S)), flops},
        [=]() mutable { gaussian_unpool(centre, x, widths, rows_of_all); });
  m.add("gaussian_unpool backward", rows_shape,
        {.bytes = 4 * rows * (maps + double(S)),
         .flops = 2 * flops,
         .moved = 4 * rows * (6 * maps + 2 * double(S)),
         .partials = 0.02},
        [=]() mutable { gaussian_unpool_backward(centre, x, widths, drows, &dcentre, &dvalues); });
}

// The maps of 50 landmarks in pairs of faces (Thewlis et al. 2017).
void pairs(const TableMaker& m) {
  const int64_t N = m.many(32, 256), K = 50;
  const Shape s{N, m.side(40), m.side(40), K};
  const Shape inner{s[0], s[1] - 3, s[2] - 3, K};
  const Tensor p = m.random(s, 0, 1), field = m.random({s[0], s[1], s[2], 2}, 0, 1),
               dmean = m.random({N, K, 2}), dvariance = m.random({N, K}), one = m.random({1}),
               dwindows = m.random(inner);
  Tensor mean = dmean.empty_like(), variance = dvariance.empty_like(), dp = p.empty_like(),
         windows = m.empty(inner), loss = one.empty_like();
  const double count = double(p.count()), pixels = count / double(K),
               within = double(inner.count());
  auto forward = [=]() mutable { field_moments(p, field, mean, variance); };
  m.add("field_moments", s, {4 * count + 8 * pixels, 10 * count}, forward);
  m.add(
      "field_moments backward", s, {4 * count + 8 * pixels, 9 * count},
      [=]() mutable { field_moments_backward(field, mean, dmean, dvariance, dp); }, forward);
  m.add("window_mean 4x4", s, {4 * (count + within), 16 * count},
        [=]() mutable { window_mean(p, 4, windows); });
  m.add("window_mean backward", s, {4 * (count + within), 16 * count},
        [=]() mutable { window_mean_backward(dwindows, 4, dp); });
  m.add("diversity", s, {4 * count + 12 * pixels, count},
        [=]() mutable { diversity(p, DiversityForm::linear, loss); });
  m.add("diversity backward", s, {8 * count, count},
        [=]() mutable { diversity_backward(p, DiversityForm::linear, one, dp); });
}

}  // namespace

void table_of_landmarks(const TableMaker& m) {
  detector(m);
  code(m);
  pairs(m);
}

}  // namespace cairn
