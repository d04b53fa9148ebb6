// Rows of warps and of photometric changes, at the sizes of homographic adaptation, of warped faces
// and of a MagicPoint training step.
#include "kernels/augment/colour_jitter.h"
#include "kernels/augment/photometric.h"
#include "kernels/warp/accumulate_warped.h"
#include "kernels/warp/crop_images.h"
#include "kernels/warp/grid_sample.h"
#include "kernels/warp/pad_border.h"
#include "kernels/warp/warp_image.h"
#include "kernels/warp/warp_points.h"
#include "tools/kernel_table/maker.h"

namespace cairn {
namespace {

// Copies of one matrix, row by row.
std::vector<float> repeated(const std::vector<float>& row, int64_t times) {
  std::vector<float> all;
  for (int64_t i = 0; i < times; ++i) all.insert(all.end(), row.begin(), row.end());
  return all;
}

void homographies(const TableMaker& m) {
  const int64_t N = m.many(1, 64), B = m.many(10, 50), h = m.side(480), w = m.side(640);
  const std::vector<float> turn{0.9f, 0.1f, 5, -0.1f, 0.9f, 8, 1e-5f, 0, 1};
  const Tensor image = m.random({N, h, w, 1}),
               matrix = m.values<float>({N, 3, 3}, repeated(turn, N));
  Tensor warped = image.empty_like();
  const double count = double(image.count());
  m.add("warp_image", image.shape(), {.bytes = 8 * count, .flops = 20 * count, .at_most = true},
        [=]() mutable { warp_image(image, matrix, {}, warped, nullptr); });

  const Tensor maps = m.random({B, h, w}, 0, 1),
               matrices = m.values<float>({B, 3, 3}, repeated(turn, B)),
               ends = m.values<int32_t>({B, h, 2}, [&] {
                 std::vector<int32_t> all;
                 for (int64_t i = 0; i < B * h; ++i) all.insert(all.end(), {0, int32_t(w)});
                 return all;
               }());
  Tensor total = m.random({h, w}, 0, 0, DType::f64), seen = m.random({h, w}, 0, 0, DType::i32),
         result = m.empty({h, w});
  const double pixels = double(h * w), n = double(B);
  m.add("accumulate_warped", maps.shape(),
        {.bytes = (4 * n + 28) * pixels + 16 * n * double(h),
         .flops = 30 * n * pixels,
         .at_most = true},
        [=]() mutable { accumulate_warped(maps, matrices, ends, ends, {}, total, seen, result); });
}

// All six; shades under a Gaussian in the middle of the range of training.
void changes(const TableMaker& m) {
  const int64_t N = m.many(8, 64), h = m.side(120), w = m.side(160);
  PhotometricPlan plan;
  for (int i = 0; i < photometric_changes; ++i) plan.order[i] = PhotometricChange(i);
  plan.shade_reach = int(std::min<int64_t>(37, h - 1));
  plan.motion_x = 1;
  plan.motion_reach = 2;
  PhotometricAmounts<float> amounts{20, 1.2f, 8, 0.002f, 0.5f, 11.6f, 1.25f, {}};
  for (auto& e : amounts.ellipses) e = {float(w) / 2, float(h) / 2, 0.002f, 0.001f, 0.003f};
  std::vector<int32_t> integers;
  std::vector<float> reals;
  for (int64_t n = 0; n < N; ++n) {
    const auto* i = reinterpret_cast<const int32_t*>(&plan);
    const auto* r = reinterpret_cast<const float*>(&amounts);
    integers.insert(integers.end(), i, i + photometric_integers);
    reals.insert(reals.end(), r, r + photometric_reals);
  }
  const Tensor x = m.random({N, h, w, 1}, 0, 255, DType::u8),
               plans = m.values<int32_t>({N, photometric_integers}, integers),
               all_amounts = m.values<float>({N, photometric_reals}, reals);
  Tensor y = m.empty(x.shape());
  const double pixels = double(x.count()), draws = double(plans.bytes() + all_amounts.bytes());
  m.add("photometric", x.shape(),
        {.bytes = 5 * pixels + draws,
         .flops = (200 + 8.0 * plan.shade_reach) * pixels,
         .moved = 25 * pixels + draws,
         .at_most = true},
        [=]() mutable { photometric(x, plans, all_amounts, y); });
}

// One image, as large as its crops.
void crops(const TableMaker& m) {
  const int64_t N = m.many(4, 32), side = m.side(256);
  const Tensor x = m.random({side * side * 3}, 0, 255, DType::u8),
               maps = m.values<float>({N, 3, 3}, repeated({1, 0, 0, 0, 1, 0, 0, 0, 1}, N));
  std::vector<int32_t> sources;
  for (int64_t n = 0; n < N; ++n) sources.insert(sources.end(), {0, 0, int(side), int(side), 1});
  const Tensor places = m.values<int32_t>({N, 5}, sources);
  Tensor y = m.empty({N, side, side, 3}, DType::u8);
  const double count = double(y.count());
  m.add("crop_images", y.shape(),
        {.bytes = count + double(x.bytes()), .flops = 16 * count, .at_most = true},
        [=]() mutable { crop_images(x, places, maps, y); });
}

// In other colours alone, as most recipes ask for.
void colours(const TableMaker& m) {
  const int64_t N = m.many(4, 32), side = m.side(256);
  const Tensor x = m.random({N, side, side, 3}, 0, 255, DType::u8),
               plan = m.values<int32_t>({N, jitter_integers},
                                        std::vector<int32_t>(size_t(N * jitter_integers), 0)),
               amounts = m.values<float>({N, jitter_reals},
                                         std::vector<float>(size_t(N * jitter_reals), 0));
  Tensor y = m.empty(x.shape());
  const double count = double(x.count());
  m.add("colour_jitter", x.shape(), {.bytes = 5 * count, .flops = 10 * count, .at_most = true},
        [=]() mutable { colour_jitter(x, plan, amounts, y); });
}

// Faces through thin-plate splines of 49 control points.
void splines(const TableMaker& m) {
  const int64_t N = m.many(16, 256), side = m.side(96), n = 49, K = 10;
  const Shape faces{N, side, side, 3}, grid_shape{N, side, side, 2};
  const PointWarp warp{m.random({N, n, 2}), m.random({N, n + 3, 2}, 0, 0.01),
                       m.values<float>({N, 2, 3}, repeated({1, 0, 0, 0, 1, 0}, N))};
  const Tensor points = m.random({N, K, 2}, 0, 1), dy = m.random(points.shape()),
               image = m.random(faces, 0, 1), dimage_out = m.random(faces);
  Tensor grid = m.empty(grid_shape), moved = m.empty(points.shape()), y = m.empty(faces),
         dimage = m.empty(faces), dgrid = m.empty(grid_shape);
  const double pixels = double(N * side * side), few = double(N * K), control = 16 * double(N * n);
  m.add("warp_points", points.shape(), {16 * few + control, 10 * few * double(n)},
        [=]() mutable { warp_points(points, warp, moved); });
  m.add("warp_points backward", points.shape(), {24 * few + control, 14 * few * double(n)},
        [=]() mutable { warp_points_backward(points, warp, dy, moved); });
  auto draw = [=]() mutable { warped_grid(warp, grid); };
  m.add("warp_points grid", grid_shape, {8 * pixels + control, 10 * pixels * double(n)}, draw);
  m.add(
      "grid_sample", faces, {.bytes = 32 * pixels, .flops = 24 * pixels, .at_most = true},
      [=]() mutable {
        grid_sample(image, grid.reshape({N, side * side, 2}), {}, y);
      },
      draw);
  m.add(
      "grid_sample backward image", faces,
      {.bytes = 32 * pixels, .flops = 24 * pixels, .moved = 104 * pixels, .at_most = true},
      [=]() mutable {
        grid_sample_backward_image(grid.reshape({N, side * side, 2}), dimage_out, {}, dimage);
      },
      draw);
  m.add(
      "grid_sample backward points", faces,
      {.bytes = 40 * pixels, .flops = 48 * pixels, .at_most = true},
      [=]() mutable {
        Tensor flat = dgrid.reshape({N, side * side, 2});
        grid_sample_backward_points(image, grid.reshape(flat.shape()), dimage_out, {}, flat);
      },
      draw);
  const int p = 8;
  Tensor padded = m.empty({N, side + 2 * p, side + 2 * p, 3});
  const double border = double(N) * 4 * double(side - 1) * 3;
  m.add("pad_border", padded.shape(),
        {.bytes = double(image.bytes() + padded.bytes()),
         .flops = border,
         .moved = double(image.bytes() + padded.bytes()) + 4 * border},
        [=]() mutable { pad_border(image, p, padded); });
}

}  // namespace

void table_of_warps(const TableMaker& m) {
  homographies(m);
  splines(m);
  changes(m);
  crops(m);
  colours(m);
}

}  // namespace cairn
