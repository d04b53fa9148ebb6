#include "runtime/jpeg_tables.h"

namespace cairn {
namespace {

// Markers of the JPEG standard (ITU-T T.81, table B.1).
constexpr int start_of_image = 0xd8, end_of_image = 0xd9, huffman = 0xc4;

bool is_restart(int marker) { return marker >= 0xd0 && marker <= 0xd7; }

// The next marker, or EOF. Between segments anything but 0xff is skipped; in the data of a scan
// also 0xff 0x00, which stands for the byte 0xff, and restarts.
int next_marker(std::FILE* file) {
  for (int c = std::getc(file); c != EOF; c = std::getc(file)) {
    if (c != 0xff) continue;
    while (c == 0xff) c = std::getc(file);
    if (c != 0 && !is_restart(c)) return c;
  }
  return EOF;
}

int big_endian_16(std::FILE* file) {
  const int high = std::getc(file), low = std::getc(file);
  return low == EOF ? EOF : high * 256 + low;
}

// One or more tables: a byte, 16 counts of codes by length, then a byte per code.
bool sound_tables(std::FILE* file, int length) {
  while (length > 0) {
    int codes = 0;
    std::getc(file);
    for (int i = 0; i < 16; ++i) {
      const int count = std::getc(file);
      if (count == EOF) return true;  // truncated: stb says so
      codes += count;
    }
    length -= 17 + codes;
    if (codes > 256 || length < 0) return false;
    std::fseek(file, codes, SEEK_CUR);
  }
  return true;
}

}  // namespace

bool has_sound_huffman_tables(std::FILE* file) {
  std::rewind(file);
  if (std::getc(file) != 0xff || std::getc(file) != start_of_image) return true;
  for (int m = next_marker(file); m != EOF && m != end_of_image; m = next_marker(file)) {
    const int length = big_endian_16(file) - 2;
    if (length < 0) return true;
    if (m == huffman) {
      if (!sound_tables(file, length)) return false;
    } else {
      std::fseek(file, length, SEEK_CUR);
    }
  }
  return true;
}

}  // namespace cairn
