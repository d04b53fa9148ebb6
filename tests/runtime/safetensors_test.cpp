#include "runtime/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "runtime/random.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

class Safetensors : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_ / name; }

  // A file with this header, and `data` zero bytes.
  std::string file(const std::string& header, size_t data) const {
    const uint64_t length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return bytes + header + std::string(data, '\0');
  }

  // Without a flush to the disk, which takes its time.
  void put(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }

  void refuses(const std::string& bytes, const std::string& part) const {
    put("bad", bytes);
    try {
      read_safetensors(path("bad"));
      ADD_FAILURE() << "accepted: " << bytes.substr(8);
    } catch (const Error& e) {
      EXPECT_EQ(e.where, path("bad"));
      EXPECT_NE(e.wrong.find(part), std::string::npos) << e.what();
    }
  }

  void refuses_header(const std::string& header, size_t data, const std::string& part) const {
    refuses(file(header, data), part);
  }

  TemporaryFolder folder_;
};

TEST_F(Safetensors, WhatIsWrittenIsReadBack) {
  const Tensor bytes = Tensor::from<uint8_t>({3}, {1, 2, 255});
  const Tensor f32 = Tensor::from<float>({2, 3}, {0, 1, 2, 3, 4, 5});
  const Tensor f64 = Tensor::from<double>({}, {1e300});
  const Tensor i32 = Tensor::from<int32_t>({2}, {-1, 7});
  const Tensor half = Tensor::from<bf16>({1}, {bf16(1.5f)});
  const Tensor none = Tensor::empty({0, 4});
  write_safetensors(
      path("a"),
      {{"u8", bytes}, {"f32", f32}, {"f64", f64}, {"i32", i32}, {"bf16", half}, {"none", none}},
      {{"cairn.architecture", "superpoint"}, {"quote", "\"\n\xff"}});
  const SafetensorsFile read = read_safetensors(path("a"));
  EXPECT_EQ(read.tensors.size(), 6u);
  EXPECT_EQ(read.tensors.at("u8").values<uint8_t>(), bytes.values<uint8_t>());
  EXPECT_EQ(read.tensors.at("f32").values<float>(), f32.values<float>());
  EXPECT_EQ(read.tensors.at("f32").shape(), f32.shape());
  EXPECT_EQ(read.tensors.at("f64").item(), 1e300);
  EXPECT_EQ(read.tensors.at("f64").rank(), 0);
  EXPECT_EQ(read.tensors.at("i32").values<int32_t>(), i32.values<int32_t>());
  EXPECT_EQ(read.tensors.at("bf16").item(), 1.5);
  EXPECT_EQ(read.tensors.at("none").shape(), none.shape());
  EXPECT_EQ(read.metadata.at("cairn.architecture"), "superpoint");
}

TEST_F(Safetensors, HalfIsWidenedAndInt64Narrowed) {
  std::string bytes = file(R"({"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},)"
                           R"("n":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}})",
                           16);
  const uint16_t halves[] = {0x3c00, 0xc500, 0x0001, 0x7c00};  // 1, -5, the smallest, infinity
  const int64_t count = -12345;
  std::memcpy(bytes.data() + bytes.size() - 16, halves, 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &count, 8);
  put("a", bytes);
  const SafetensorsFile read = read_safetensors(path("a"));
  EXPECT_EQ(read.tensors.at("h").values<float>(), (std::vector<float>{1, -5, 0x1p-24f, HUGE_VALF}));
  EXPECT_EQ(read.tensors.at("n").item(), -12345);

  bytes.back() = 1;  // 2^56 and something
  refuses(bytes, "'n': it holds");
}

TEST_F(Safetensors, AFileThatIsNotThereOrNoFileIsNamed) {
  EXPECT_THROW(read_safetensors(path("nothing")), Error);
  EXPECT_THROW(read_safetensors(folder_.path()), Error);
}

TEST_F(Safetensors, TruncatedFilesAreRefused) {
  refuses("", "empty");
  refuses("abc", "3 bytes");
  write_safetensors(path("a"), {{"weight", Tensor::zeros({16})}});
  const std::string whole = read_file(path("a"));
  for (size_t n = 0; n < whole.size(); ++n) {
    put("cut", whole.substr(0, n));
    EXPECT_THROW(read_safetensors(path("cut")), Error) << n << " bytes";
  }
}

TEST_F(Safetensors, HostileHeadersAreRefused) {
  refuses(std::string(8, '\xff'), "header claims 18446744073709551615 bytes");
  refuses(std::string("\xe8\x03\0\0\0\0\0\0{}", 10), "header claims 1000 bytes");
  refuses_header("", 0, "not valid JSON");
  refuses_header("[]", 0, "not a JSON object");
  refuses_header("{\"a\":", 0, "not valid JSON");
  refuses_header(std::string(100000, '['), 0, "nested");
  refuses_header(R"({"a":{"b":[[[[]]]]}})", 0, "nested");
  refuses_header(R"({"a":1})", 0, "'a': it has no dtype");
  refuses_header(R"({"a":{"dtype":"F32","shape":[1]}})", 4, "no data_offsets");
  refuses_header(R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}})", 4, "dtype is not text");
  refuses_header(R"({"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}})", 4, "'Q4'");
  refuses_header(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "shape holds -1");
  refuses_header(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "shape holds");
  refuses_header(R"({"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}})", 4, "not a list");
  refuses_header(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4,
                 "7 dimensions");
  refuses_header(R"({"__metadata__":{"a":1}})", 0, "__metadata__ 'a'");
  refuses_header(R"({"__metadata__":[]})", 0, "__metadata__");
}

TEST_F(Safetensors, LiesAboutSizesAndPlacesAreRefused) {
  const auto one = [](const char* shape, const char* offsets) {
    return text(R"({"a":{"dtype":"F32","shape":)", shape, R"(,"data_offsets":)", offsets, "}}");
  };
  const auto two = [](const char* first, const char* second) {
    return text(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)", first,
                R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)", second, "}}");
  };
  refuses_header(one("[1]", "[0,8]"), 8, "claims 8 bytes");
  refuses_header(one("[4]", "[0,16]"), 8, "claims bytes 0..16");
  refuses_header(one("[1]", "[4,0]"), 8, "claims bytes 4..0");
  refuses_header(one("[1]", "[0]"), 4, "1 data_offsets");
  refuses_header(one("[1]", "[0,18446744073709551615]"), 4, "claims bytes");
  refuses_header(one("[1]", "[0,18446744073709551616]"), 4, "data_offsets holds");
  refuses_header(one("[4294967296,4294967296]", "[0,0]"), 0, "does not fit 64 bits");
  refuses_header(one("[18446744073709551615]", "[0,4]"), 4, "does not fit 64 bits");
  refuses_header(two("[0,4]", "[2,6]"), 6, "overlaps with 'a'");
  refuses_header(two("[0,4]", "[0,4]"), 4, "overlaps");
  refuses_header(two("[0,4]", "[6,10]"), 10, "bytes 4..6");
  refuses_header(two("[0,4]", "[4,8]"), 10, "last 2 bytes");
  refuses_header(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                 R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                 1, "'a' comes twice");
  refuses_header(R"({"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,1]}})", 1,
                 "'dtype' comes twice");
}

// Any damage gives an Error or a file that reads well; anything else would end this test.
TEST_F(Safetensors, DamagedBytesNeverCrash) {
  write_safetensors(path("a"),
                    {{"conv.weight", Tensor::zeros({2, 3})},
                     {"conv.bias", Tensor::zeros({2}, DType::f64)},
                     {"count", Tensor::zeros({}, DType::i32)}},
                    {{"key", "value"}});
  const std::string whole = read_file(path("a"));
  Random random(1);
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string bytes = whole;
    for (int n = random.integer(1, 4); n > 0; --n) {
      const size_t at = size_t(random.integer(0, int(whole.size()) - 1));
      const int kind = random.integer(0, 3);
      if (kind == 0) bytes[at % bytes.size()] = char(random.bits());
      if (kind == 1) bytes[at % bytes.size()] = "0123456789[]{},:\""[random.integer(0, 16)];
      if (kind == 2) bytes.erase(at % bytes.size(), 1);
      if (kind == 3) bytes.insert(at % bytes.size(), 1, char(random.bits()));
    }
    put("b", bytes);
    try {
      read_safetensors(path("b"));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST_F(Safetensors, TwoTensorsOfOneNameAreNotWritten) {
  const Tensor t = Tensor::zeros({1});
  EXPECT_THROW(write_safetensors(path("a"), {{"x", t}, {"x", t}}), Error);
  EXPECT_THROW(write_safetensors(path("a"), {{"__metadata__", t}}), Error);
  EXPECT_EQ(folder_.files(), 0u);
}

}  // namespace
}  // namespace cairn
