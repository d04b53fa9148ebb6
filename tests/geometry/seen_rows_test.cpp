#include "geometry/seen_rows.h"

#include <gtest/gtest.h>

#include "tests/seen_pixels.h"
#include "training/random_homography.h"

namespace cairn {
namespace {

constexpr int height = 60, width = 80;

Tensor as_mask(const std::vector<RowSpan>& rows) {
  Tensor mask = Tensor::zeros({height, width}, DType::u8);
  for (int64_t y = 0; y < height; ++y)
    for (int32_t x = rows[size_t(y)].begin; x < rows[size_t(y)].end; ++x)
      mask.data<uint8_t>()[y * width + x] = 1;
  return mask;
}

TEST(SeenRows, EqualTheErodedMaskOfAWarpByNearestNeighbour) {
  Random random(5);
  for (int round = 0; round < 300; ++round) {
    HomographyRange range = HomographyRange::homographic_adaptation();
    range.overflow = round % 3 * 0.2;  // some see little of the input
    const Matrix3 h = random_homography(range, height, width, random);
    for (const Matrix3& m : {h, inverse(h)}) {
      const Tensor seen = seen_pixels(m, height, width);
      for (int margin : {0, 1, 2, 3, 5}) {
        const Tensor want = margin ? eroded(seen, margin) : seen;
        ASSERT_EQ(as_mask(seen_rows(m, height, width, margin)).values<uint8_t>(),
                  want.values<uint8_t>())
            << "round " << round << ", margin " << margin;
      }
    }
  }
}

TEST(SeenRows, TheIdentityIsSeenWholeAndAFarPlaceNotAtAll) {
  for (const RowSpan& s : seen_rows({}, height, width, 3)) {
    EXPECT_EQ(s.begin, 0);
    EXPECT_EQ(s.end, width);
  }
  for (const Matrix3& h :
       {translation(500, 0), translation(0, -60), Matrix3{{0, 0, 1, 0, 0, 1, 0, 0, -1}}})
    for (const RowSpan& s : seen_rows(h, height, width, 0)) EXPECT_EQ(s.end, 0);
}

TEST(SeenRows, BehindTheHorizonNothingIsSeen) {
  const Matrix3 h{{1, 0, 0, 0, 1, 0, -0.05, 0, 1}};  // w = 0 at column 20
  for (const RowSpan& s : seen_rows(h, height, width, 0)) EXPECT_LE(s.end, 20);
}

}  // namespace
}  // namespace cairn
