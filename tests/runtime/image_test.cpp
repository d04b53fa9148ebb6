#include "runtime/image.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/random.h"
#include "tests/temporary_folder.h"

#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

namespace cairn {
namespace {

class Images : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_ / name; }

  // A smooth picture: JPEG keeps it within a few grey levels.
  static Tensor picture(int64_t height, int64_t width, int64_t channels) {
    Tensor t = Tensor::empty({height, width, channels}, DType::u8);
    for (int64_t i = 0; i < t.count(); ++i) {
      const int64_t c = i % channels, x = i / channels % width, y = i / channels / width;
      t.data<uint8_t>()[i] = uint8_t(128 + 100 * std::sin(0.05 * double(x + 2 * y) + double(c)));
    }
    return t;
  }

  static std::string jpeg(const Tensor& t) {
    std::string bytes;
    stbi_write_jpg_to_func(
        [](void* out, void* p, int n) {
          static_cast<std::string*>(out)->append(static_cast<const char*>(p), size_t(n));
        },
        &bytes, int(t.dim(1)), int(t.dim(0)), int(t.dim(2)), t.data<uint8_t>(), 95);
    return bytes;
  }

  // The error of reading these bytes.
  std::string refusal(const std::string& bytes) const {
    std::ofstream(path("bad"), std::ios::binary) << bytes;  // without a flush to the disk
    try {
      read_image(path("bad"), 1);
    } catch (const Error& e) {
      EXPECT_EQ(e.where, path("bad"));
      return e.wrong;
    }
    return "it was read";
  }

  TemporaryFolder folder_;
};

TEST_F(Images, PngKeepsEveryPixel) {
  for (int channels : {1, 3}) {
    const Tensor t = picture(37, 53, channels);
    write_png(path("a.png"), t);
    EXPECT_EQ(read_image(path("a.png"), channels).values<uint8_t>(), t.values<uint8_t>());
    const ImageInfo info = read_image_info(path("a.png"));
    EXPECT_EQ(info.width, 53);
    EXPECT_EQ(info.height, 37);
    EXPECT_EQ(info.channels, channels);
  }
}

TEST_F(Images, JpegIsReadClosely) {
  const Tensor t = picture(40, 56, 3);
  write_file(path("a.jpg"), jpeg(t));
  const std::vector<uint8_t> a = t.values<uint8_t>(),
                             b = read_image(path("a.jpg"), 3).values<uint8_t>();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 12) << i;
}

TEST_F(Images, PortableAnymapsAreRead) {
  write_file(path("a.pgm"), std::string("P5\n2 1\n255\n\x07\xf0"));
  EXPECT_EQ(read_image(path("a.pgm"), 1).values<uint8_t>(), (std::vector<uint8_t>{7, 240}));
  EXPECT_EQ(read_image(path("a.pgm"), 3).values<uint8_t>(),
            (std::vector<uint8_t>{7, 7, 7, 240, 240, 240}));
}

TEST_F(Images, GreyIsTheWeightedSumOfRedGreenAndBlue) {
  write_file(path("a.ppm"), std::string("P6\n4 1\n255\n\xff\0\0\0\xff\0\0\0\xff\xff\xff\xff", 23));
  EXPECT_EQ(read_image(path("a.ppm"), 1).values<uint8_t>(),
            (std::vector<uint8_t>{76, 150, 29, 255}));
}

TEST_F(Images, MissingEmptyAndOtherFilesAreTold) {
  EXPECT_THROW(read_image(path("none.png"), 1), Error);
  EXPECT_THROW(read_image(folder_.path(), 1), Error);
  EXPECT_EQ(refusal(""), "the file is empty");
  EXPECT_EQ(refusal(std::string(1000, 'x')), "it is not an image");
  EXPECT_EQ(refusal("x"), "it is truncated or not an image");
}

TEST_F(Images, ATruncatedFileIsRefusedWhereverItEnds) {
  const Tensor t = picture(33, 47, 1);
  for (const std::string& whole : {jpeg(t), encode_png(t)}) {
    EXPECT_EQ(refusal(whole), "it was read");
    for (size_t n = 1; n < whole.size(); n += 7)
      EXPECT_NE(refusal(whole.substr(0, n)), "it was read") << n;
  }
  EXPECT_NE(refusal("P5\n2 2\n255\nabc"), "it was read");
}

TEST_F(Images, AHugeImageIsRefusedBeforeItIsDecoded) {
  EXPECT_EQ(refusal("P5\n100000 100000\n255\nabc"), "it has 100000 x 100000 pixels");
  std::string png = encode_png(picture(1, 1, 1));
  const unsigned char side[8] = {0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0};
  png.replace(16, 8, reinterpret_cast<const char*>(side), 8);
  EXPECT_EQ(refusal(png), "it has 100000 x 100000 pixels");
}

TEST_F(Images, AHuffmanTableWithTooManyCodesIsRefused) {
  std::string bytes = jpeg(picture(16, 16, 1));
  const size_t table = bytes.find("\xff\xc4");
  ASSERT_NE(table, std::string::npos);
  for (size_t i = 0; i < 16; ++i) bytes[table + 5 + i] = '\xff';
  EXPECT_EQ(refusal(bytes), "it is damaged: a Huffman table is too long");
}

// Any damage gives an Error or an image; anything else would end this test.
TEST_F(Images, DamagedBytesNeverCrash) {
  const Tensor t = picture(16, 24, 3);
  Random random(1);
  for (const std::string& whole : {jpeg(t), encode_png(t)})
    for (int round = 0; round < 300; ++round) {
      std::string bytes = whole;
      for (int n = random.integer(1, 5); n > 0; --n)
        bytes[size_t(random.integer(0, int(whole.size()) - 1))] = char(random.bits());
      refusal(bytes);
    }
}

TEST_F(Images, AFolderGivesItsImagesSorted) {
  for (const char* name : {"b.PNG", "a.jpeg", "notes.txt", "c"}) write_file(path(name), "x");
  EXPECT_EQ(image_files(folder_.path()), (std::vector<std::string>{path("a.jpeg"), path("b.PNG")}));
  EXPECT_THROW(image_files(path("none")), Error);
}

}  // namespace
}  // namespace cairn
