#include "runtime/image.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/jpeg_tables.h"

#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_ONLY_PNM
#define STBI_NO_STDIO
#define STBI_FAILURE_USERMSG
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

namespace cairn {
namespace {

constexpr const char* expected_image = "an image: JPEG, PNG, BMP, PGM or PPM";

// Feeds stb from a file, and notices when it wants more than there is: stb itself paints what is
// missing from a JPEG grey.
class Source {
 public:
  explicit Source(const std::string& path) {
    require_file(path, expected_image);
    file_.reset(std::fopen(path.c_str(), "rb"));
    if (!file_) throw Error(path, "it cannot be opened", expected_image, "check its permissions");
    size_ = int64_t(std::filesystem::file_size(path));
  }
  const stbi_io_callbacks* calls() const {
    static const stbi_io_callbacks table{
        [](void* user, char* to, int n) { return static_cast<Source*>(user)->read(to, n); },
        [](void* user, int n) { std::fseek(static_cast<Source*>(user)->file_.get(), n, SEEK_CUR); },
        [](void* user) { return int(static_cast<Source*>(user)->at_end()); }};
    return &table;
  }
  bool ran_out() const { return ran_out_; }
  bool has_sound_tables() {
    const bool sound = has_sound_huffman_tables(file_.get());
    rewind();
    return sound;
  }
  bool is_empty() const { return size_ == 0; }
  void rewind() {
    std::rewind(file_.get());
    ran_out_ = false;
  }

  int read(char* to, int n) {
    const int got = int(std::fread(to, 1, size_t(n), file_.get()));
    ran_out_ |= got == 0;
    return got;
  }

 private:
  // Not feof(): a seek clears that, also one beyond the end, and stb would wait for ever.
  bool at_end() const { return std::ftell(file_.get()) >= size_; }

  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  int64_t size_ = 0;
  bool ran_out_ = false;
};

void check_size(const std::string& path, int64_t width, int64_t height) {
  if (width > max_image_pixels / std::max<int64_t>(height, 1))
    throw Error(path, text("it has ", width, " x ", height, " pixels"),
                text("at most ", max_image_pixels / 1000000, " million pixels"),
                "scale it down, or cut it into parts");
}

// stb calls a PNG beyond its own limits no image at all, so its sides are read here first.
void check_png_size(Source& source, const std::string& path) {
  unsigned char head[24] = {};
  source.read(reinterpret_cast<char*>(head), 24);
  source.rewind();
  if (std::memcmp(head, "\x89PNG\r\n\x1a\n", 8) != 0) return;
  const auto big_endian = [](const unsigned char* p) {
    return int64_t{p[0]} << 24 | p[1] << 16 | p[2] << 8 | p[3];
  };
  check_size(path, big_endian(head + 16), big_endian(head + 20));
}

ImageInfo info(Source& source, const std::string& path) {
  if (source.is_empty())
    throw Error(path, "the file is empty", expected_image, "fetch or save it again");
  check_png_size(source, path);
  if (!source.has_sound_tables())
    throw Error(path, "it is damaged: a Huffman table is too long", expected_image,
                "fetch or save it again");
  int width = 0, height = 0, channels = 0;
  if (!stbi_info_from_callbacks(source.calls(), &source, &width, &height, &channels))
    throw Error(path, source.ran_out() ? "it is truncated or not an image" : "it is not an image",
                expected_image, "convert it to PNG, or fetch it again");
  source.rewind();
  check_size(path, width, height);
  return {width, height, channels};
}

// One row of pixels with `from` stored channels to `to` of 1 or 3.
void convert_row(const uint8_t* x, int from, uint8_t* y, int to, int64_t width) {
  for (int64_t i = 0; i < width; ++i, x += from, y += to) {
    if (to == 1)
      y[0] = from < 3 ? x[0] : uint8_t((299 * x[0] + 587 * x[1] + 114 * x[2] + 500) / 1000);
    else
      for (int c = 0; c < 3; ++c) y[c] = x[from < 3 ? 0 : c];
  }
}

std::string lower_extension(const std::string& path) {
  std::string e = std::filesystem::path(path).extension().string();
  std::transform(e.begin(), e.end(), e.begin(), [](unsigned char c) { return std::tolower(c); });
  return e;
}

}  // namespace

ImageInfo read_image_info(const std::string& path) {
  Source source(path);
  return info(source, path);
}

Tensor read_image(const std::string& path, int channels) {
  if (channels != 1 && channels != 3)
    throw Error("read_image", text(channels, " channels"), "1 (grey) or 3 (RGB)",
                "ask for one of them");
  Source source(path);
  info(source, path);
  int width = 0, height = 0, stored = 0;
  const std::unique_ptr<uint8_t, void (*)(void*)> pixels(
      stbi_load_from_callbacks(source.calls(), &source, &width, &height, &stored, 0),
      stbi_image_free);
  if (source.ran_out())
    throw Error(path, "the file ends before its image does", expected_image,
                "it is truncated: fetch or save it again");
  if (!pixels)
    throw Error(path, text("it is damaged: ", stbi_failure_reason()), expected_image,
                "fetch or save it again, or convert it to PNG");
  Tensor image = Tensor::empty({height, width, channels}, DType::u8);
  for (int64_t r = 0; r < height; ++r)
    convert_row(pixels.get() + r * width * stored, stored,
                image.data<uint8_t>() + r * width * channels, channels, width);
  return image;
}

std::string encode_png(const Tensor& image) {
  if (image.rank() != 3 || (image.dim(2) != 1 && image.dim(2) != 3) || image.count() == 0)
    throw Error("png", text("the image is ", image), "u8[H,W,1] or u8[H,W,3], not empty",
                "convert it first");
  const int channels = int(image.dim(2)), width = int(image.dim(1)), height = int(image.dim(0));
  std::string bytes;
  const auto append = [](void* out, void* data, int n) {
    static_cast<std::string*>(out)->append(static_cast<const char*>(data), size_t(n));
  };
  if (!stbi_write_png_to_func(append, &bytes, width, height, channels, image.data<uint8_t>(),
                              width * channels))
    throw Error("png", text("an image of ", width, " x ", height, " could not be encoded"),
                "enough memory", "write a smaller image");
  return bytes;
}

void write_png(const std::string& path, const Tensor& image) {
  write_file(path, encode_png(image));
}

bool has_image_extension(const std::string& path) {
  const std::string e = lower_extension(path);
  for (const char* known : {".jpg", ".jpeg", ".png", ".bmp", ".pgm", ".ppm", ".pnm"})
    if (e == known) return true;
  return false;
}

std::vector<std::string> image_files(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (!entry.is_directory() && has_image_extension(entry.path().string()))
      found.push_back(entry.path().string());
  if (error)
    throw Error(folder, text("it cannot be listed: ", error.message()), "a folder of images",
                "check the path and its permissions");
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace cairn
