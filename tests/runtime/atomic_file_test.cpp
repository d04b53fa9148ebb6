#include "runtime/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "runtime/error.h"
#include "tests/temporary_folder.h"

namespace cairn {
namespace {

class AtomicFileTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(AtomicFileTest, ReplacesTheOldFileAtTheEndAndNotBefore) {
  const std::string path = folder_ / "a";
  write_file(path, "old");
  AtomicFile file(path);
  file.write("new");
  EXPECT_EQ(read_file(path), "old");
  file.commit();
  EXPECT_EQ(read_file(path), "new");
  EXPECT_EQ(folder_.files(), 1u);
}

TEST_F(AtomicFileTest, AnAbandonedFileLeavesTheOldOneAndNoRemains) {
  const std::string path = folder_ / "a";
  write_file(path, "old");
  { AtomicFile(path).write("half"); }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(folder_.files(), 1u);
}

// A limit on the size of files fails a write halfway, as a full disk does.
TEST_F(AtomicFileTest, AWriteThatFailsHalfwayLeavesTheOldFileAndNoRemains) {
  const std::string path = folder_ / "a";
  write_file(path, "old");
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_file(path, std::string(10000, 'x')), Error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(folder_.files(), 1u);
}

TEST_F(AtomicFileTest, AFolderThatIsNotThereIsNamed) {
  try {
    write_file(folder_ / "none/a", "x");
    ADD_FAILURE() << "was written";
  } catch (const Error& e) {
    EXPECT_NE(e.remedy.find("create the folder " + (folder_ / "none")), std::string::npos)
        << e.what();
  }
  write_file(folder_ / "file", "x");
  EXPECT_THROW(write_file(folder_ / "file/a", "x"), Error);
}

TEST_F(AtomicFileTest, AFolderInItsPlaceIsRefusedBeforeAnythingIsWritten) {
  try {
    AtomicFile file(folder_.path());
    ADD_FAILURE() << "was opened";
  } catch (const Error& e) {
    EXPECT_NE(e.wrong.find("Is a directory"), std::string::npos) << e.what();
    EXPECT_EQ(e.remedy, "name a file inside it");
  }
  EXPECT_EQ(folder_.files(), 0u);
}

TEST_F(AtomicFileTest, ReadingNamesWhatIsThereInstead) {
  EXPECT_THROW(read_file(folder_.path()), Error);
  EXPECT_THROW(read_file(folder_ / "none"), Error);
  write_file(folder_ / "empty", "");
  EXPECT_EQ(read_file(folder_ / "empty"), "");
}

}  // namespace
}  // namespace cairn
