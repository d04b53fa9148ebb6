// Rows of SuperPoint's descriptors: from the map to matches, and the losses.
#include "kernels/descriptor/l2_normalize.h"
#include "kernels/descriptor/nearest_descriptors.h"
#include "kernels/descriptor/sample_descriptors.h"
#include "kernels/loss/descriptor_double_norm.h"
#include "kernels/loss/descriptor_draw.h"
#include "kernels/loss/descriptor_hinge.h"
#include "kernels/loss/descriptor_sparse.h"
#include "kernels/warp/warped_centres.h"
#include "tools/kernel_table/maker.h"

namespace cairn {
namespace {

void matching(const TableMaker& m) {
  const int64_t N = m.many(1, 32), h = m.side(480), w = m.side(640), n = m.side(1000), C = 256;
  const Tensor d = m.random({N, h / 8, w / 8, C}), dy = m.random(d.shape());
  Tensor unit = d.empty_like();
  const double count = double(d.count());
  m.add("l2_normalize", d.shape(), {8 * count, 4 * count},
        [=]() mutable { l2_normalize(d, 1e-12, unit); });
  m.add("l2_normalize backward", d.shape(), {12 * count, 8 * count},
        [=]() mutable { l2_normalize_backward(d, dy, 1e-12, unit); });
  const Tensor points = m.random({N, n, 2}, 0, double(h)), a = m.random({n, C}),
               b = m.random({n, C});
  Tensor sampled = m.empty({N, n, C});
  const double values = double(sampled.count());
  m.add("sample_descriptors", sampled.shape(),
        {.bytes = 20 * values, .flops = 24 * values, .at_most = true}, [=]() mutable {
          sample_descriptors(d, points, {0.125, 0.125, -0.44, -0.44}, sampled);
        });
  NearestDescriptors of_a{m.empty({n}, DType::i32), m.empty({n, 2})},
      of_b{m.empty({n}, DType::i32), m.empty({n, 2})};
  const double products = 2 * double(n * n * C);
  m.add("nearest_descriptors", {n, n, C},
        {.bytes = double(a.bytes() + b.bytes()),
         .flops = products,
         .moved = double(a.bytes() + b.bytes()) + 60 * 2 * double(n)},
        [=]() mutable { nearest_descriptors(a, b, of_a, of_b); });
}

// Two pairs at 240x320. On a CPU a backward has three products of n^2 C, on a GPU four, the double
// norm's five.
void losses(const TableMaker& m) {
  const int64_t N = 2, h = m.side(240) / 8, w = m.side(320) / 8, C = 256, n = h * w;
  const Shape maps{N, h, w, C}, cells{N, h, w};
  const Tensor x = m.random(maps), z = m.random(maps), valid = m.random(cells, 1, 1, DType::u8),
               one = m.random({1}, 1, 1),
               homographies = m.values<float>(
                   {N, 9}, {1, 0, 3.25, 0, 1, -2.5, 0, 0, 1, 1, 0, 9.25, 0, 1, 4.5, 0, 0, 1});
  Tensor a = m.empty(maps), b = m.empty(maps), centres = m.empty({N, h, w, 2});
  auto cells_of = [=]() mutable { warped_centres(homographies, 8, centres); };
  m.add("warped_centres", cells, {8 * double(N * n), 25 * double(N * n)}, cells_of);
  auto units = [=]() mutable {
    l2_normalize(x, 1e-12, a);
    l2_normalize(z, 1e-12, b);
    cells_of();
  };

  const DescriptorPairs pairs{a, b, centres, valid};
  const double product = 2.0 * double(N) * double(n) * double(n) * double(C),
               bytes = double(a.bytes() + b.bytes());
  DoubleNorms norms{m.empty({1}), m.empty(cells), m.empty(cells), m.empty(cells)};
  Tensor terms = m.empty({4}), loss = m.empty({}), da = m.empty(maps), db = m.empty(maps);
  const bool gpu = m.on_gpu() || m.on_simt();
  auto double_norm = [=]() mutable { descriptor_double_norm(pairs, {}, norms, terms, loss); };
  m.add("descriptor_double_norm", maps, {bytes, (gpu ? 3 : 2) * product, 3 * bytes}, double_norm,
        units);
  m.add(
      "descriptor_double_norm backward", maps, {2 * bytes, (gpu ? 5 : 3) * product, 4 * bytes},
      [=]() mutable { descriptor_double_norm_backward(pairs, {}, norms, one, da, db); },
      [=]() mutable { units(), double_norm(); });
  auto hinge = [=]() mutable { descriptor_hinge(pairs, {}, norms.factor, terms, loss); };
  m.add("descriptor_hinge", maps, {bytes, product}, hinge, units);
  m.add(
      "descriptor_hinge backward", maps, {2 * bytes, (gpu ? 4 : 3) * product, 3 * bytes},
      [=]() mutable { descriptor_hinge_backward(pairs, {}, norms.factor, one, da, db); },
      [=]() mutable { units(), hinge(); });

  const int64_t negatives = 100;
  Tensor matches = m.empty(cells, DType::i32), offsets = m.empty({N, negatives}, DType::i32),
         active = m.empty({N, n, negatives + 1}, DType::u8), counts = m.empty({N, 2});
  auto draw = [=]() mutable {
    descriptor_draw(homographies, centres, valid, 1000, matches, offsets);
  };
  m.add("descriptor_draw", cells, {16 * double(N * n) + 4 * double(N * negatives), 0}, draw, units);
  const SparsePairs sparse{a, b, valid, matches, offsets};
  const double hinges = double(N) * std::min<double>(1000, double(n)) * double(negatives + 1);
  auto sparse_loss = [=]() mutable { descriptor_sparse(sparse, {}, active, counts, terms, loss); };
  m.add("descriptor_sparse", maps,
        {.bytes = bytes, .flops = hinges * 2 * double(C), .at_most = true}, sparse_loss,
        [=]() mutable { units(), draw(); });
  m.add(
      "descriptor_sparse backward", maps,
      {.bytes = 2 * bytes, .flops = hinges * 4 * double(C), .at_most = true},
      [=]() mutable { descriptor_sparse_backward(sparse, {}, active, counts, one, da, db); },
      [=]() mutable { units(), draw(), sparse_loss(); });
}

}  // namespace

void table_of_descriptors(const TableMaker& m) {
  matching(m);
  losses(m);
}

}  // namespace cairn
