#include "runtime/zip_archive.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime/crc32.h"
#include "runtime/error.h"

static_assert(std::endian::native == std::endian::little, "ZIP archives are little-endian");

namespace cairn {
namespace {

constexpr uint32_t local_mark = 0x04034b50, entry_mark = 0x02014b50, end_mark = 0x06054b50;
constexpr size_t local_size = 30, entry_size = 46, end_size = 22;
constexpr uint64_t limit = 0xffffffff;  // sizes and places from here on need ZIP64
constexpr uint16_t utf8_names = 1 << 11, encrypted = 1;

// The numbers of a record at a place that is known to hold it.
struct Record {
  const char* at;

  uint16_t u16(size_t offset) const { return number<uint16_t>(offset); }
  uint32_t u32(size_t offset) const { return number<uint32_t>(offset); }

 private:
  template <class T>
  T number(size_t offset) const {
    T value;
    std::memcpy(&value, at + offset, sizeof value);
    return value;
  }
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  std::vector<ZipMember> read() {
    find_end();
    const Record end{bytes_.data() + end_};
    if (end.u16(8) == 0xffff || end.u32(12) == limit || end.u32(16) == limit) refuse_zip64();
    if (end.u16(4) || end.u16(6) || end.u16(8) != end.u16(10))
      bad("it is one part of several", "an archive in one file");
    const uint64_t begin = end.u32(16), size = end.u32(12);
    if (begin + size > end_)
      bad(text("its directory claims bytes ", begin, "..", begin + size),
          text("a range within the ", end_, " bytes before its end"));
    std::vector<ZipMember> members;
    uint64_t at = begin;
    for (int i = 0; i < end.u16(10); ++i) members.push_back(entry(at, begin, begin + size));
    if (at != begin + size)
      bad(text("its directory has ", begin + size - at, " bytes too many"), "no more than entries");
    check_overlaps();
    return members;
  }

 private:
  [[noreturn]] void bad(const std::string& wrong, const std::string& expected) const {
    throw Error(path_, wrong, expected,
                "fetch or save the file again; it is damaged or not a ZIP archive");
  }
  [[noreturn]] void bad(const std::string& member, const std::string& wrong,
                        const std::string& expected) const {
    bad("member '" + member + "': " + wrong, expected);
  }
  [[noreturn]] void refuse_zip64() const {
    throw Error(path_, "it is of 4 GiB or more, or of the form for such files (ZIP64)",
                "an archive below 4 GiB", "save fewer or smaller arrays in one file");
  }

  // The last record of the archive, behind which only its comment stands.
  void find_end() {
    if (bytes_.empty()) bad("the file is empty", "a ZIP archive");
    if (bytes_.size() >= end_size)
      for (size_t back = end_size; back <= std::min(bytes_.size(), end_size + 0xffff); ++back) {
        const Record r{bytes_.data() + bytes_.size() - back};
        if (r.u32(0) != end_mark || r.u16(20) != back - end_size) continue;
        end_ = bytes_.size() - back;
        return;
      }
    bad("it has no end of a ZIP archive: it is truncated, or something else",
        "a ZIP archive (an .npz file) to its last byte");
  }

  // The entry of the directory at `at`, which moves behind it, and its member.
  ZipMember entry(uint64_t& at, uint64_t directory, uint64_t directory_end) {
    if (directory_end - at < entry_size) bad("its directory ends within an entry", "whole entries");
    const Record r{bytes_.data() + at};
    if (r.u32(0) != entry_mark) bad("an entry of its directory is damaged", "the mark PK 1 2");
    const uint64_t length = entry_size + r.u16(28) + r.u16(30) + r.u16(32);
    if (directory_end - at < length) bad("its directory ends within an entry", "whole entries");
    const std::string name(bytes_.substr(at + entry_size, r.u16(28)));
    at += length;
    if (!names_.insert(name).second) bad(name, "the name comes twice", "unique names");
    if (r.u16(8) & encrypted) bad(name, "it is encrypted", "members without a password");
    if (r.u16(10) != 0)
      throw Error(path_, text("member '", name, "' is compressed (method ", r.u16(10), ")"),
                  "stored members", "save the arrays with numpy.savez, not savez_compressed");
    const uint64_t size = r.u32(24), place = r.u32(42);
    if (r.u32(20) == limit || size == limit || place == limit) refuse_zip64();
    if (r.u32(20) != size)
      bad(name, text("it is stored in ", r.u32(20), " bytes and has ", size), "equal sizes");
    const std::string_view data = member(name, place, size, directory);
    if (const uint32_t sum = crc32(data.data(), data.size()); sum != r.u32(16))
      bad(name, text("its checksum is ", sum), text(r.u32(16), ", as the directory says"));
    return {name, data};
  }

  // Of the header before the data only the lengths matter: writers leave its sizes open.
  std::string_view member(const std::string& name, uint64_t place, uint64_t size,
                          uint64_t directory) {
    const std::string expected = text("a place within the ", directory, " bytes of members");
    if (place + local_size > directory) bad(name, text("it is said to be at ", place), expected);
    const Record r{bytes_.data() + place};
    if (r.u32(0) != local_mark) bad(name, text("no member begins at ", place), "the mark PK 3 4");
    const uint64_t begin = place + local_size + r.u16(26) + r.u16(28);
    if (begin + size > directory)
      bad(name, text("it claims bytes ", begin, "..", begin + size), expected);
    if (bytes_.substr(place + local_size, r.u16(26)) != name)
      bad(name, "it calls itself otherwise than the directory does", "one name");
    places_.push_back({place, begin + size});
    return bytes_.substr(begin, size);
  }

  void check_overlaps() {
    std::sort(places_.begin(), places_.end());
    for (size_t i = 1; i < places_.size(); ++i)
      if (places_[i].first < places_[i - 1].second)
        bad(text("two members share the bytes from ", places_[i].first), "members side by side");
  }

  const std::string_view bytes_;
  const std::string& path_;
  size_t end_ = 0;
  std::set<std::string> names_;
  std::vector<std::pair<uint64_t, uint64_t>> places_;
};

template <class T>
void put(std::string& to, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  to.append(bytes, sizeof(T));
}

constexpr uint16_t version = 20, first_day = 0x21;  // 1980-01-01: equal contents, equal files

}  // namespace

std::vector<ZipMember> read_zip(std::string_view bytes, const std::string& path) {
  return Reader(bytes, path).read();
}

void ZipWriter::check_room(size_t bytes) const {
  if (at_ + bytes + directory_.size() + end_size >= limit || names_.size() > 0xfffe)
    throw Error(path_, text("it would take ", at_ + bytes, " bytes in ", names_.size(), " members"),
                "less than 4 GiB and 65535 members", "write several files");
}

void ZipWriter::add(const std::string& name, std::string_view head, const void* data,
                    size_t bytes) {
  if (!names_.insert(name).second)
    throw Error(path_, text("two members would be called '", name, "'"), "unique names",
                "rename one of them");
  const uint64_t size = head.size() + bytes;
  check_room(local_size + name.size() + size);
  const bool ascii = std::all_of(name.begin(), name.end(), [](char c) { return c >= 0; });
  std::string common;  // to both headers of a member
  put(common, version);
  put(common, ascii ? uint16_t{0} : utf8_names);
  put(common, uint16_t{0});  // stored
  put(common, uint16_t{0});  // midnight
  put(common, first_day);
  put(common, crc32(data, bytes, crc32(head.data(), head.size())));
  put(common, uint32_t(size));
  put(common, uint32_t(size));
  put(common, uint16_t(name.size()));
  put(common, uint16_t{0});  // extra fields

  std::string local;
  put(local, local_mark);
  local += common + name;
  put(directory_, entry_mark);
  put(directory_, version);
  directory_ += common;
  directory_.append(10, '\0');  // comment, disk, attributes
  put(directory_, uint32_t(at_));
  directory_ += name;

  file_.write(local);
  file_.write(head);
  file_.write(data, bytes);
  at_ += local.size() + size;
}

void ZipWriter::finish() {
  check_room(0);
  std::string end;
  put(end, end_mark);
  put(end, uint32_t{0});  // disks
  put(end, uint16_t(names_.size()));
  put(end, uint16_t(names_.size()));
  put(end, uint32_t(directory_.size()));
  put(end, uint32_t(at_));
  put(end, uint16_t{0});  // comment
  file_.write(directory_);
  file_.write(end);
  file_.commit();
}

}  // namespace cairn
