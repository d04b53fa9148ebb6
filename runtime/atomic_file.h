#pragma once
// Files that are either whole or not there: every file Cairn writes goes through here.
#include <cstddef>
#include <string>
#include <string_view>

namespace cairn {

/// A file written under a temporary name beside its target and renamed over it by commit(). Until
/// then, and whatever fails, a file that was there before stays as it was.
class AtomicFile {
 public:
  /// Opens the temporary file. Throws an Error when the folder is missing or not writable, or when
  /// the target is itself a folder.
  explicit AtomicFile(std::string path);
  /// Removes the temporary file unless it was committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;

  /// Appends. Throws an Error when the disk is full or the file grows beyond a limit.
  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Flushes to the disk, renames over the target, and flushes the folder's entry.
  void commit();

 private:
  [[noreturn]] void fail(const char* action) const;  // with the reason in errno

  std::string path_, temporary_;
  int descriptor_ = -1;
};

/// Writes a whole file at once.
void write_file(const std::string& path, std::string_view contents);

/// Throws an Error unless `path` is a file that can be opened; `expected` says what should be there
/// ("an image").
void require_file(const std::string& path, const std::string& expected);

/// Reads a whole file. Throws an Error when it is missing, a folder, or cannot be read.
std::string read_file(const std::string& path);

}  // namespace cairn
