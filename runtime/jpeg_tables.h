#pragma once
// A check that stb_image before 2.28 leaves out.
#include <cstdio>

namespace cairn {

/// False when a Huffman table in the JPEG file claims more than its 256 codes, or more bytes than
/// its segment: stb would write them beyond its own table. Starts at the file's beginning and
/// follows the segments as stb does; true for whatever else may be wrong with the file.
bool has_sound_huffman_tables(std::FILE* file);

}  // namespace cairn
