#pragma once
// A subcommand of the program is one file, tools/verbs/NAME.cpp, that defines
//
//   void cairn::add_NAME(CLI::App& verb);
//
// It describes the verb, adds its options, and sets a callback that does the work: a short human
// answer on stdout, or with --json a machine's; logs go to stderr. It throws Error when the work
// failed (the program exits with 1) and UsageError when it was called wrongly (2). The list of
// verbs is generated from the file names.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/device.h"
#include "runtime/dtype.h"

namespace cairn {

using Json = nlohmann::ordered_json;

/// Sets the line in the list of verbs, and the example at the end of --help.
void describe(CLI::App& verb, const std::string& summary, const std::string& example);

/// --json
void add_json_option(CLI::App& verb, bool& json);

/// --device and --threads. `device` is set when the options have been read.
void add_device_options(CLI::App& verb, Device& device);

/// --precision fp32|tf32|bf16: how products are computed (runtime/arithmetic.h), and the type of a
/// network's activations. Both places must outlive the parsing.
void add_precision_option(CLI::App& verb, const Device& device, DType& activations);

/// Prints to stdout, indented by two; text that is not UTF-8 is replaced.
void print_json(const Json& json);

/// "480x640" (height x width). Throws a UsageError naming `option`.
struct Size {
  int64_t height, width;
};
Size parse_size(const std::string& option, const std::string& value);

/// Texts of the form KEY=VALUE. Throws a UsageError naming `option`.
std::map<std::string, std::string> assignments(const std::string& option,
                                               const std::vector<std::string>& given);

/// Creates the folder that a result goes to, or throws an Error.
void make_folder(const std::string& folder);

}  // namespace cairn
