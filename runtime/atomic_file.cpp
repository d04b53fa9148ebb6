#include "runtime/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "runtime/error.h"

namespace cairn {
namespace {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// Unlike any other name that this or another living process uses.
std::string temporary_beside(const std::string& path) {
  static std::atomic<unsigned> serial{0};
  return text(path, ".tmp-", ::getpid(), "-", serial++);
}

std::string remedy_for(int error, const std::string& folder) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return text("free some space on the disk of ", folder, ", or write elsewhere");
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f), or write elsewhere";
    case ENOENT:
    case ENOTDIR:
      return text("create the folder ", folder, ", or write elsewhere");
    case EISDIR:
      return "name a file inside it";
    default:
      return text("check the permissions of ", folder, ", or write elsewhere");
  }
}

}  // namespace

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), temporary_(temporary_beside(path_)) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path_, ignored)) {
    errno = EISDIR;  // the temporary file could be made, and the renaming would fail
    fail("be created");
  }
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("be created");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, size_t bytes) {
  const char* p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor_, p, std::min(bytes, size_t{1} << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("be written");
    p += written;
    bytes -= size_t(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("be flushed to the disk");
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("be closed");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("be put in place");
  temporary_.clear();
  // The new name is on the disk only when its folder is; the file is whole either way.
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

void AtomicFile::fail(const char* action) const {
  const int error = errno;
  throw Error(path_, text("it cannot ", action, ": ", std::strerror(error)),
              "a place that can be written; what was there before is unchanged",
              remedy_for(error, folder_of(path_)));
}

void write_file(const std::string& path, std::string_view contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

void require_file(const std::string& path, const std::string& expected) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (status.type() == std::filesystem::file_type::not_found)
    throw Error(path, "there is no such file", expected, "check the path");
  if (std::filesystem::is_directory(status))
    throw Error(path, "it is a folder", expected, "name a file inside it");
  if (status.type() == std::filesystem::file_type::none || ::access(path.c_str(), R_OK) != 0)
    throw Error(path, text("it cannot be opened: ", std::strerror(errno)), expected,
                "check the permissions of the file and its folders");
  if (!std::filesystem::is_regular_file(status))
    throw Error(path, "it is a device or a pipe", expected, "save it as a file first");
}

std::string read_file(const std::string& path) {
  require_file(path, "a file that can be read");
  std::ifstream in(path, std::ios::binary);
  std::string contents{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad())
    throw Error(path, text("it cannot be read: ", std::strerror(errno)), "a file that can be read",
                "check the disk it is on");
  return contents;
}

}  // namespace cairn
