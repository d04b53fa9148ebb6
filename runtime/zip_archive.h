#pragma once
// ZIP archives whose members are stored as they are, without compression: what numpy.savez writes
// and numpy.load reads. Archives and members stay below 4 GiB (no ZIP64).
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/atomic_file.h"

namespace cairn {

struct ZipMember {
  std::string name;
  std::string_view data;  ///< a part of the archive's bytes
};

/// The members of the archive `bytes`, in the order of its directory; errors speak as `path`.
///
/// Nothing in it is believed: throws an Error when the end is missing (a truncated file), a place
/// lies outside of the file, members overlap, names come twice or disagree, a checksum is wrong, or
/// a member is compressed, encrypted or of ZIP64.
std::vector<ZipMember> read_zip(std::string_view bytes, const std::string& path);

/// Writes an archive atomically: nothing is at `path` before finish().
class ZipWriter {
 public:
  explicit ZipWriter(const std::string& path) : path_(path), file_(path) {}
  /// Adds a member made of `head` and the bytes behind it. Throws an Error when its name is taken
  /// or the archive would pass 4 GiB.
  void add(const std::string& name, std::string_view head, const void* data, size_t bytes);
  void finish();

 private:
  void check_room(size_t bytes) const;

  const std::string path_;
  AtomicFile file_;
  std::string directory_;
  std::set<std::string> names_;
  uint64_t at_ = 0;
};

}  // namespace cairn
