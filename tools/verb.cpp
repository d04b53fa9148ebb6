#include "tools/verb.h"

#include <CLI/Validators.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "runtime/arithmetic.h"
#include "runtime/error.h"
#include "runtime/threads.h"

namespace cairn {

void describe(CLI::App& verb, const std::string& summary, const std::string& example) {
  verb.description(summary);
  verb.footer("\nExample:\n  " + example);
}

void add_json_option(CLI::App& verb, bool& json) {
  verb.add_flag("--json", json, "print JSON on stdout");
}

void add_device_options(CLI::App& verb, Device& device) {
  device = why_unavailable(Device::cuda).empty() ? Device::cuda : Device::cpu;
  verb.add_option_function<std::string>(
          "--device",
          [&device](const std::string& value) {
            device = parse_device(value);
            require_available(device);
          },
          "cpu, simt or cuda; cuda where a GPU can be used, else cpu")
      ->type_name("D");
  verb.add_option_function<int>(
          "--threads", [](int n) { set_thread_count(n); },
          "threads to compute with; all cores unless given")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
}

void add_precision_option(CLI::App& verb, const Device& device, DType& activations) {
  const std::string choice = "fp32, tf32 or bf16";
  verb.add_option_function<std::string>(
          "--precision",
          [=, &activations](const std::string& value) {
            if (value != "fp32" && value != "tf32" && value != "bf16")
              throw UsageError("--precision", text("'", value, "'"), choice, "choose one of them");
            activations = value == "bf16" ? DType::bf16 : DType::f32;
            set_tf32_products(value == "tf32");
          },
          choice +
              ": bf16 halves the activations' memory; tf32 rounds the factors of products for the "
              "tensor cores of a GPU; fp32")
      ->type_name("P");
  verb.parse_complete_callback([&device] {
    if (tf32_products() && device == Device::cpu)
      throw UsageError("--precision", "'tf32': no kernel of a cpu computes in TF32",
                       "cuda or simt with it", "take fp32");
  });
}

void print_json(const Json& json) {
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

Size parse_size(const std::string& option, const std::string& value) {
  Size size{};
  int end = 0;
  if (std::sscanf(value.c_str(), "%5ldx%5ld%n", &size.height, &size.width, &end) != 2 ||
      size_t(end) != value.size() || size.height < 1 || size.width < 1)
    throw UsageError(option, "'" + value + "' is not a size", "HEIGHTxWIDTH, as in 480x640",
                     "write both sides in pixels, with an x between them");
  return size;
}

std::map<std::string, std::string> assignments(const std::string& option,
                                               const std::vector<std::string>& given) {
  std::map<std::string, std::string> all;
  for (const std::string& s : given) {
    const size_t equals = s.find('=');
    if (equals == std::string::npos)
      throw UsageError(option, text("'", s, "'"), "option=value", "write both sides");
    all[s.substr(0, equals)] = s.substr(equals + 1);
  }
  return all;
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder))
    throw Error(folder, "the folder cannot be made: " + error.message(),
                "a folder that can be written", "choose another one with --out");
}

}  // namespace cairn
