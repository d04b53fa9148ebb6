// cairn replay: recorded optimizer steps of another framework, loss by loss.
#include <cmath>
#include <iomanip>
#include <iostream>
#include <memory>

#include "runtime/error.h"
#include "tools/verb.h"
#include "training/replay.h"

namespace cairn {
namespace {

struct Options {
  std::string folder, precision = "fp64";
  Device device = Device::cpu;
  bool json = false;
};

void print(const ReplayResult& r) {
  std::cout
      << r.model
      << "\n  step   loss (recorded)   loss (ours)       relative error   gradient norm error\n";
  for (size_t i = 0; i < r.losses.size(); ++i) {
    const double loss = std::abs(r.losses[i] / r.recorded_losses[i] - 1);
    std::cout << std::setw(6) << i + 1 << std::setprecision(10) << std::setw(18)
              << r.recorded_losses[i] << std::setw(18) << r.losses[i] << std::setprecision(3)
              << std::setw(15) << loss;
    if (i < r.recorded_gradient_norms.size())
      std::cout << std::setw(15)
                << std::abs(r.gradient_norms[i] / r.recorded_gradient_norms[i] - 1);
    std::cout << '\n';
  }
  std::cout << "largest relative error of a loss  " << r.max_relative_loss_error
            << "\nlargest error of a weight         " << r.max_weight_error << "  ("
            << r.max_weight_name << ")\n";
}

}  // namespace

void add_replay(CLI::App& verb) {
  describe(verb, "Reproduce recorded optimizer steps of another framework",
           "cairn replay tests/replay/hourglass2-rmsprop --device cpu");
  auto o = std::make_shared<Options>();
  verb.add_option("DIR", o->folder, "replay.json, weights, weights_after and batch")
      ->required()
      ->type_name("");
  verb.add_option("--precision", o->precision,
                  "fp64: is the mathematics right; fp32: what training's precision makes of it")
      ->capture_default_str()
      ->type_name("fp64|fp32");
  add_device_options(verb, o->device);
  add_json_option(verb, o->json);
  verb.callback([o] {
    if (o->precision != "fp32" && o->precision != "fp64")
      throw UsageError("--precision", text("'", o->precision, "'"), "fp32 or fp64",
                       "choose one of them");
    const ReplayResult r =
        replay(o->folder, o->device, o->precision == "fp64" ? DType::f64 : DType::f32);
    if (!o->json) return print(r);
    print_json({{"model", r.model},
                {"device", name(o->device)},
                {"precision", o->precision},
                {"losses", r.losses},
                {"gradient_norms", r.gradient_norms},
                {"max_relative_loss_error", r.max_relative_loss_error},
                {"max_weight_error", r.max_weight_error}});
  });
}

}  // namespace cairn
