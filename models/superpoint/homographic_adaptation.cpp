#include "models/superpoint/homographic_adaptation.h"

#include <algorithm>
#include <span>

#include "geometry/seen_rows.h"
#include "layers/check.h"
#include "layers/functions_warp.h"
#include "runtime/threads.h"

namespace cairn {
namespace {

// What the device needs to know of a batch of views.
struct Views {
  Tensor to_image, to_view;      // [B,3,3]
  Tensor view_rows, image_rows;  // i32 [B,H,2]: trusted in the view, and back in the image
};

void put(const Matrix3& h, float* to) { std::copy(h.m.begin(), h.m.end(), to); }

void put(const std::vector<RowSpan>& rows, int32_t* to) {
  for (const RowSpan& s : rows) {
    *to++ = s.begin;
    *to++ = s.end;
  }
}

Views prepare(std::span<const Matrix3> views, int64_t height, int64_t width, int margin,
              Device device) {
  const int64_t B = int64_t(views.size());
  Views v{Tensor::empty({B, 3, 3}), Tensor::empty({B, 3, 3}),
          Tensor::empty({B, height, 2}, DType::i32), Tensor::empty({B, height, 2}, DType::i32)};
  parallel_for(B, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const Matrix3 to_image = with_unit_corner(views[size_t(b)]);
      const Matrix3 to_view = with_unit_corner(inverse(views[size_t(b)]));
      put(to_image, v.to_image.data<float>() + 9 * b);
      put(to_view, v.to_view.data<float>() + 9 * b);
      put(seen_rows(to_image, height, width, margin), v.view_rows.data<int32_t>() + 2 * height * b);
      put(seen_rows(to_view, height, width, margin), v.image_rows.data<int32_t>() + 2 * height * b);
    }
  });
  for (Tensor* t : {&v.to_image, &v.to_view, &v.view_rows, &v.image_rows}) *t = t->to(device);
  return v;
}

}  // namespace

Tensor homographic_adaptation(const HeatmapFunction& heatmap, const Tensor& image,
                              const std::vector<Matrix3>& views, const AdaptationOptions& o) {
  Check("homographic_adaptation")
      .argument("image", image)
      .require(image.rank() == 4 && image.dim(0) == 1 && image.count() > 0, "the image is not one")
      .require(image.dtype() == DType::f32, "the image is ", image.dtype())
      .require(!views.empty(), "there are no views")
      .require(o.batch >= 1, "the batch is ", o.batch)
      .require(o.erosion_margin >= 0, "the erosion margin is ", o.erosion_margin)
      .done(
          "one image [1,H,W,C] f32, at least one view, a batch of 1 or more, a margin of 0 or more",
          "correct the options of the labels");
  const int64_t H = image.dim(1), W = image.dim(2), N = int64_t(views.size());
  const int64_t batch = std::min(o.batch, N);
  Tensor copies = image.empty_like({batch, H, W, image.dim(3)});
  for (int64_t b = 0; b < batch; ++b) copies.rows(b, b + 1).copy_from(image);

  Tensor total = Tensor::zeros({H, W}, DType::f64, image.device());
  Tensor count = Tensor::zeros({H, W}, DType::i32, image.device());
  Tensor result = image.empty_like({H, W});
  for (int64_t first = 0; first < N; first += batch) {
    const int64_t size = std::min(batch, N - first);
    const Views v = prepare(std::span(views).subspan(size_t(first), size_t(size)), H, W,
                            o.erosion_margin, image.device());
    const Tensor heat = heatmap(warp_image(copies.rows(0, size), v.to_image, H, W));
    accumulate_warped(heat, v.to_view, v.view_rows, v.image_rows, {o.aggregation, o.least_count},
                      total, count, result);
  }
  return result;
}

}  // namespace cairn
