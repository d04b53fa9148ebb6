#pragma once
// --profile of the verbs that compute: where the time went, as a trace and as a table.
#include <iosfwd>
#include <memory>
#include <string>

#include "runtime/profile.h"
#include "tools/verb.h"

namespace cairn {

/// `what` is recorded: "ten steps after the first ten", say.
void add_profile_option(CLI::App& verb, std::string& path, const std::string& what);

/// Null without a path. Throws an Error when the file cannot be written.
std::unique_ptr<Profile> make_profile(const std::string& path);

/// What took longest: on stdout, or on stderr where that is for a machine's answer. A profile that
/// has not been finished says so. Prints nothing without one.
void print_profile(const Profile* profile, bool json);

}  // namespace cairn
