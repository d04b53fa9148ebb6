#include "runtime/npz.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "runtime/atomic_file.h"
#include "runtime/crc32.h"
#include "runtime/error.h"
#include "runtime/random.h"
#include "runtime/zip_archive.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

// numpy.savez(file, n=numpy.array([3, -1])) of numpy 2.
constexpr const char* by_numpy =
    "504b03042d00000000000000210067deff68ffffffffffffffff050014006e2e6e707901001000900000000000"
    "00009000000000000000934e554d5059010076007b276465736372273a20273c6938272c2027666f727472616e"
    "5f6f72646572273a2046616c73652c20277368617065273a2028322c292c207d20202020202020202020202020"
    "202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "20200a0300000000000000ffffffffffffffff504b01022d032d00000000000000210067deff68900000009000"
    "00000500000000000000000000008001000000006e2e6e7079504b0506000000000100010033000000c7000000"
    "0000";

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += char(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

class Npz : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_ / name; }

  // Without a flush to the disk, which takes its time.
  void put(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }

  void refuses(const std::string& bytes, const std::string& part) const {
    put("bad", bytes);
    try {
      read_npz(path("bad"));
      ADD_FAILURE() << "accepted where it should say: " << part;
    } catch (const Error& e) {
      EXPECT_EQ(e.where, path("bad"));
      EXPECT_NE(e.wrong.find(part), std::string::npos) << e.what();
    }
  }

  // An archive whose one member, "a.npy", has this header and `data` zero bytes behind it.
  std::string archive(const std::string& header, size_t data) const {
    const uint16_t length = uint16_t(header.size());
    std::string head("\x93NUMPY\x01\0", 8);
    head.append(reinterpret_cast<const char*>(&length), 2);
    return member("a.npy", head + header + std::string(data, '\0'));
  }
  std::string member(const std::string& name, const std::string& bytes) const {
    ZipWriter zip(path("made"));
    zip.add(name, bytes, nullptr, 0);
    zip.finish();
    return read_file(path("made"));
  }
  // Two arrays of 4 bytes each.
  std::string two_arrays() const {
    write_npz(path("made"),
              {{"a", Tensor::full({4}, 1, DType::u8)}, {"b", Tensor::full({4}, 2, DType::u8)}});
    return read_file(path("made"));
  }

  TemporaryFolder folder_;
};

// A little-endian number written over the bytes at `at`.
template <class T>
std::string patched(std::string bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
  return bytes;
}
size_t directory(const std::string& bytes, int entry = 0) {
  size_t at = bytes.find("PK\x01\x02");
  for (; entry > 0; --entry) at = bytes.find("PK\x01\x02", at + 1);
  return at;
}
size_t end_of(const std::string& bytes) { return bytes.size() - 22; }

TEST_F(Npz, WhatIsWrittenIsReadBack) {
  const Tensor u8 = Tensor::from<uint8_t>({3}, {1, 2, 255});
  const Tensor f32 = Tensor::from<float>({2, 3}, {0, 1, 2, 3, 4, 5});
  const Tensor f64 = Tensor::from<double>({}, {1e300});
  const Tensor i32 = Tensor::from<int32_t>({2, 1, 1}, {-1, 7});
  const Tensor none = Tensor::empty({0, 256});
  write_npz(path("a"), {{"u8", u8}, {"f32", f32}, {"f64", f64}, {"i32", i32}, {"none", none}});
  const auto read = read_npz(path("a"));
  EXPECT_EQ(read.size(), 5u);
  EXPECT_EQ(read.at("u8").values<uint8_t>(), u8.values<uint8_t>());
  EXPECT_EQ(read.at("f32").values<float>(), f32.values<float>());
  EXPECT_EQ(read.at("f32").shape(), f32.shape());
  EXPECT_EQ(read.at("f64").item(), 1e300);
  EXPECT_EQ(read.at("f64").rank(), 0);
  EXPECT_EQ(read.at("i32").values<int32_t>(), i32.values<int32_t>());
  EXPECT_EQ(read.at("i32").shape(), i32.shape());
  EXPECT_EQ(read.at("none").shape(), none.shape());
}

TEST_F(Npz, EqualArraysGiveEqualFiles) {
  EXPECT_EQ(two_arrays(), two_arrays());
  write_npz(path("empty"), {});
  EXPECT_TRUE(read_npz(path("empty")).empty());
}

TEST_F(Npz, AFileMadeByNumpyIsRead) {
  put("a", from_hex(by_numpy));
  const auto read = read_npz(path("a"));
  EXPECT_EQ(read.at("n").values<int32_t>(), (std::vector<int32_t>{3, -1}));
}

TEST_F(Npz, NumpyReadsWhatIsWrittenAndTheOtherWayRound) {
  if (std::system("python3 -c 'import numpy' >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "python3 has no numpy here, so files are not exchanged with it";
  write_npz(path("a.npz"), {{"points", Tensor::from<float>({2, 2}, {1, 2, 3, 4.5})},
                            {"n", Tensor::from<int32_t>({}, {-9})},
                            {"none", Tensor::empty({0, 2})}});
  put("exchange.py",
      "import numpy as np\n"
      "a = np.load('a.npz')\n"
      "assert a['points'].dtype == np.float32 and a['points'].tolist() == [[1, 2], [3, 4.5]]\n"
      "assert a['n'] == -9 and a['n'].shape == () and a['none'].shape == (0, 2)\n"
      "np.savez('b.npz', f=np.arange(6.).reshape(2, 3), i=np.arange(3), b=np.array([True, False]),"
      " u=np.zeros((0,), np.uint8), s=np.float32(2.5))\n"
      "np.savez('fortran.npz', f=np.asfortranarray(np.ones((2, 3))))\n"
      "np.savez('text.npz', t=np.array(['abc']))\n"
      "np.savez('big.npz', t=np.zeros(2, '>f4'))\n"
      "np.savez_compressed('small.npz', f=np.zeros(100))\n");
  ASSERT_EQ(std::system(("cd '" + folder_.path() + "' && python3 exchange.py").c_str()), 0);
  const auto b = read_npz(path("b.npz"));
  EXPECT_EQ(b.at("f").values<double>(), (std::vector<double>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(b.at("f").shape(), (Shape{2, 3}));
  EXPECT_EQ(b.at("i").values<int32_t>(), (std::vector<int32_t>{0, 1, 2}));
  EXPECT_EQ(b.at("b").values<uint8_t>(), (std::vector<uint8_t>{1, 0}));
  EXPECT_EQ(b.at("u").count(), 0);
  EXPECT_EQ(b.at("s").item(), 2.5);
  refuses(read_file(path("fortran.npz")), "array 'f.npy': its order is Fortran's");
  refuses(read_file(path("text.npz")), "array 't.npy': its type is '<U3'");
  refuses(read_file(path("big.npz")), "array 't.npy': its type is '>f4'");
  refuses(read_file(path("small.npz")), "member 'f.npy' is compressed (method 8)");
}

TEST_F(Npz, TruncatedFilesAreRefused) {
  const std::string whole = two_arrays(), numpy = from_hex(by_numpy);
  for (const std::string& bytes : {whole, numpy})
    for (size_t n = 0; n < bytes.size(); ++n) {
      put("cut", bytes.substr(0, n));
      EXPECT_THROW(read_npz(path("cut")), Error) << n << " bytes";
    }
  EXPECT_THROW(read_npz(path("nothing")), Error);
  EXPECT_THROW(read_npz(folder_.path()), Error);
}

TEST_F(Npz, HostileArchivesAreRefused) {
  const std::string good = two_arrays();
  const size_t first = directory(good), second = directory(good, 1), end = end_of(good);
  refuses("", "empty");
  refuses(std::string(100, 'x'), "no end of a ZIP archive");
  refuses(patched(good, end + 4, uint16_t{1}), "one part of several");
  refuses(patched(good, end + 8, uint32_t{0xffffffff}), "ZIP64");
  refuses(patched(good, end + 16, uint32_t{0xffffffff}), "ZIP64");
  refuses(patched(good, end + 16, uint32_t{0xfffffff0}), "its directory claims bytes");
  refuses(patched(good, end + 12, uint32_t(end)), "its directory claims bytes");
  refuses(patched(good, end + 8, uint32_t{0x00010001}), "bytes too many");
  refuses(patched(good, end + 8, uint32_t{0x00030003}), "ends within an entry");
  refuses(patched(good, first, uint32_t{0}), "an entry of its directory is damaged");
  refuses(patched(good, first + 28, uint16_t{0xffff}), "ends within an entry");
  refuses(patched(good, first + 8, uint16_t{1}), "'a.npy': it is encrypted");
  refuses(patched(good, first + 10, uint16_t{8}), "'a.npy' is compressed (method 8)");
  refuses(patched(good, first + 16, uint32_t{7}), "'a.npy': its checksum is");
  refuses(patched(good, first + 20, uint32_t{7}), "'a.npy': it is stored in 7 bytes");
  refuses(patched(good, first + 20, uint64_t{0xffffffffffffffff}), "ZIP64");
  refuses(patched(good, first + 20, uint64_t{0xfffffff0fffffff0}), "'a.npy': it claims bytes");
  refuses(patched(good, first + 42, uint32_t{0xfffffff0}), "'a.npy': it is said to be at");
  refuses(patched(good, first + 42, uint32_t{3}), "'a.npy': no member begins at 3");
  refuses(patched(good, first + 46, 'b'), "calls itself otherwise");
  refuses(patched(good, second + 46, 'a'), "'a.npy': the name comes twice");
  refuses(patched(patched(good, second + 42, uint32_t{0}), size_t(30), 'b'), "");
  std::string changed = good;
  changed[first - 1] ^= 1;  // the last element of b
  refuses(changed, "'b.npy': its checksum is");
}

TEST_F(Npz, HostileHeadersAreRefused) {
  const auto header = [](const std::string& type, const std::string& shape) {
    return "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + ")}";
  };
  put("good", archive(header("<f4", "1,"), 4));
  EXPECT_EQ(read_npz(path("good")).at("a").shape(), Shape{1});

  refuses(member("a.txt", "text"), "member 'a.txt' is not an array");
  refuses(member("a.npy", "text"), "does not begin as an array");
  refuses(member("a.npy", std::string("\x93NUMPY\x09\0\0\0{}", 12)), "version 9");
  refuses(member("a.npy", std::string("\x93NUMPY\x01\0\xff\xff{}", 12)), "claims 65535 bytes");
  refuses(member("a.npy", std::string("\x93NUMPY\x02\0\xff\xff\xff\xff{}", 14)),
          "claims 4294967295");
  refuses(archive("", 4), "its header cannot be read");
  refuses(archive("{}", 4), "its header cannot be read");
  refuses(archive("{'descr': '<f4'", 4), "its header cannot be read");
  refuses(archive(header("<f4", "1,") + "x", 4), "its header cannot be read");
  refuses(archive(header("<f4", "-1,"), 4), "its header cannot be read");
  refuses(archive(header("<f4", "1 1"), 4), "its header cannot be read");
  refuses(archive("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", 4),
          "its header cannot be read");
  refuses(archive("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4),
          "its header cannot be read");
  refuses(archive(header("|O", "1,"), 8), "its type is '|O'");
  refuses(archive(header("<f4", "2,"), 4), "it has 4 bytes of elements");
  refuses(archive(header("<f4", "1,"), 8), "it has 8 bytes of elements");
  refuses(archive(header("<f4", "1, 1, 1, 1, 1, 1, 1"), 4), "7 dimensions");
  refuses(archive(header("<f4", "4611686018427387904, 2"), 0), "cannot be read");
  refuses(archive(header("<f8", "461168601842738790,"), 8), "it has 8 bytes of elements");
  refuses(archive(header("<f4", "999999999999999999, 999999999999999999"), 4), "64 bits");
  refuses(archive("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", 16), "Fortran");
  std::string large = archive(header("<i8", "1,"), 8);  // 2^56 and nothing else
  const size_t begin = large.find("PK\x01\x02");
  large[begin - 1] = 1;
  large = patched(large, begin + 16, crc32(large.data() + 35, begin - 35));
  refuses(large, "it holds");
}

// Any damage gives an Error or a file that reads well; anything else would end this test.
TEST_F(Npz, DamagedBytesNeverCrash) {
  const std::string whole = two_arrays();
  Random random(1);
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string bytes = whole;
    for (int n = random.integer(1, 4); n > 0; --n) {
      const size_t at = size_t(random.integer(0, int(bytes.size()) - 1));
      const int kind = random.integer(0, 2);
      if (kind == 0) bytes[at] = char(random.bits());
      if (kind == 1) bytes.erase(at, 1);
      if (kind == 2) bytes.insert(at, 1, char(random.bits()));
    }
    put("b", bytes);
    try {
      read_npz(path("b"));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 750);
}

TEST_F(Npz, WhatNumpyHasNoPlaceForIsNotWritten) {
  const Tensor t = Tensor::zeros({1});
  EXPECT_THROW(write_npz(path("a"), {{"x", t}, {"x", t}}), Error);
  EXPECT_THROW(write_npz(path("a"), {{"x", t.to(DType::bf16)}}), Error);
  EXPECT_EQ(folder_.files(), 0u);
}

TEST(Crc32, HasTheStandardsCheckValue) {
  EXPECT_EQ(crc32("123456789", 9), 0xCBF43926u);
  EXPECT_EQ(crc32("6789", 4, crc32("12345", 5)), 0xCBF43926u);
}

}  // namespace
}  // namespace cairn
