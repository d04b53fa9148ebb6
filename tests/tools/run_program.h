#pragma once
// Runs the built program and keeps what it said.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/atomic_file.h"
#include "test_paths.h"
#include "tests/temporary_folder.h"

namespace cairn {

struct Answer {
  int code;  ///< exit code, or -1 when a signal ended it
  std::string out, err;

  bool says(const std::string& part) const { return err.find(part) != std::string::npos; }
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};
inline std::ostream& operator<<(std::ostream& s, const Answer& a) {
  return s << "exit code " << a.code << "\n--- stdout\n" << a.out << "--- stderr\n" << a.err;
}

/// Tests that call the program from within a folder of their own.
class ProgramTest : public testing::Test {
 protected:
  /// `arguments` as a shell would read them.
  Answer cairn(const std::string& arguments) const { return shell("\"$cairn\" " + arguments); }

  /// A line for the shell, in which $cairn is the program.
  Answer shell(const std::string& line) const {
    const std::string command = "cd '" + folder_.path() +
                                "' && export cairn='" CAIRN_BINARY_DIR
                                "/cairn' && timeout 120 sh -c '" +
                                line + "' >.out 2>.err";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(folder_ / ".out"),
            read_file(folder_ / ".err")};
  }

  /// An error in three parts, with this code.
  static void expect_error(const Answer& a, int code, const std::string& part) {
    EXPECT_EQ(a.code, code) << a;
    EXPECT_TRUE(a.says(part)) << part << '\n' << a;
    EXPECT_TRUE(a.says("\n  expected: ")) << a;
    EXPECT_TRUE(a.says("\n  to do: ")) << a;
    EXPECT_EQ(a.out, "");
  }

  TemporaryFolder folder_;
};

}  // namespace cairn
