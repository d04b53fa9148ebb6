#pragma once
// The errors that tests wait for.
#include <gtest/gtest.h>

#include <string>

#include "runtime/error.h"

namespace cairn {

/// The Error that f() throws, all three parts in place. Fails the test when it throws none.
template <class F>
Error caught(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_FALSE(e.expected.empty() || e.remedy.empty()) << e.what();
    return e;
  }
  ADD_FAILURE() << "no error was thrown";
  return {"", "", "", ""};
}

/// All of what it says; or its first part alone.
template <class F>
std::string error_of(F&& f) {
  return caught(f).what();
}
template <class F>
std::string wrong(F&& f) {
  return caught(f).wrong;
}

}  // namespace cairn
