#include "tools/ladders.h"

#include <cmath>
#include <iostream>

#include "runtime/error.h"
#include "runtime/random.h"
#include "tools/machine_models.h"
#include "tools/measure.h"
#include "tools/table.h"

namespace cairn {
namespace {

struct Maker {
  Device device;
  bool gpu, values;

  Tensor empty(const Shape& shape) const { return Tensor::empty(shape, DType::f32, device); }
  Tensor random(const Shape& shape, double low, double high) const {
    if (!values) return empty(shape);
    Tensor t = Tensor::empty(shape);
    Random r(3);
    for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(r.uniform(low, high));
    return t.to(device);
  }
  Shape maps() const { return gpu ? Shape{32, 256, 256, 32} : Shape{2, 40, 30, 12}; }
};

LadderExample spatial_softmax(const Maker& m) {
  Tensor h = m.empty(m.maps());
  return {text("z ", m.maps()), spatial_softmax_ladder(m.random(m.maps(), -4, 4), 1, h)};
}

LadderExample soft_argmax(const Maker& m) {
  const Shape maps = m.maps();
  Tensor point = m.empty({maps[0], maps[3], 2}), variance = point.empty_like();
  return {text("logits ", maps), soft_argmax_ladder(m.random(maps, -4, 4), 1, point, variance)};
}

LadderExample gaussian(const Maker& m) {
  const Shape maps = m.maps(), per_map{maps[0], maps[3]};
  Tensor y = m.empty(maps);
  return {text("y ", maps),
          gaussian_ladder(m.random({maps[0], maps[3], 2}, 0, 1), m.random(per_map, 0.1, 0.3),
                          m.random(per_map, 0.5, 1), GaussianForm::plain, y)};
}

LadderExample residual(const Maker& m) {
  const Shape shape = m.gpu ? Shape{16, 64, 64, 256} : Shape{1, 12, 10, 16};
  const int64_t I = shape[3], M = I / 2;
  ResidualBlock block;
  for (int i = 0; i < 3; ++i) {
    const int64_t C = i == 0 ? I : M, O = i == 2 ? I : M, k = i == 1 ? 3 : 1;
    block.step[i] = {m.random({C}, 0.5, 1.5), m.random({C}, -1, 1),          m.random({C}, -1, 1),
                     m.random({C}, 0.5, 1.5), m.random({O, k, k, C}, -1, 1), m.random({O}, -1, 1)};
  }
  Tensor y = m.empty(shape);
  return {text("x ", shape, ", ", M, " channels inside"),
          residual_ladder(m.random(shape, -1, 1), block, y)};
}

LadderExample double_norm(const Maker& m) {
  const Shape maps = m.gpu ? Shape{4, 60, 80, 256} : Shape{2, 6, 7, 16};
  const Shape cells{maps[0], maps[1], maps[2]};
  const double longest = std::sqrt(3 / double(maps[3]));  // of length about 1
  const DescriptorPairs pairs{m.random(maps, -longest, longest), m.random(maps, -longest, longest),
                              m.random({maps[0], maps[1], maps[2], 2}, 0, double(maps[1])),
                              m.random(cells, 1, 1).to(DType::u8)};
  Tensor terms = m.empty({4}), loss = m.empty(Shape{});
  return {text("a ", maps), double_norm_ladder(pairs, {}, terms, loss)};
}

struct NamedLadder {
  const char* name;
  LadderExample (*make)(const Maker&);
};
constexpr NamedLadder ladders[] = {{"spatial_softmax", spatial_softmax},
                                   {"soft_argmax", soft_argmax},
                                   {"gaussian", gaussian},
                                   {"residual", residual},
                                   {"double_norm", double_norm}};

// A launch takes what its slowest part takes on the multiprocessors that it keeps busy.
double predicted_ms(const LadderStep& step, const MachineModel& machine) {
  double seconds = 0;
  for (const LadderLaunch& l : step.launches) {
    const double moving = double(l.bytes.distinct_loaded + l.bytes.distinct_stored) /
                          machine.bytes_per_s,
                 caching = l.l2_bytes / machine.l2_bytes_per_s,
                 computing = l.flops / machine.f32_flop_per_s,
                 busy = std::min(1.0, double(l.blocks) / machine.multiprocessors);
    seconds += std::max(machine.launch_s, std::max({moving, caching, computing}) / busy);
  }
  return seconds * 1e3;
}

Json as_json(const simt::Traffic& t) {
  return {{"loaded", t.loaded},
          {"stored", t.stored},
          {"distinct_loaded", t.distinct_loaded},
          {"distinct_stored", t.distinct_stored}};
}

// What the checker counts, or null without one.
Json counted(const LadderStep& step) {
  if constexpr (build::has_simt)
    if (simt::has_checker()) {
      simt::take_traffic();
      step.run();
      return as_json(simt::take_traffic());
    }
  step.run();
  return nullptr;
}

std::string megabytes(const Json& t, const char* loaded, const char* stored) {
  if (t.is_null()) return "-";
  return cell(1e-6 * (t[loaded].get<double>() + t[stored].get<double>()), 3);
}

std::string milliseconds(const Json& ms) { return ms.is_null() ? "-" : cell(ms.get<double>(), 3); }

void print(const Json& j) {
  const bool simt = j["device"] == "simt";
  std::cout << j["ladder"].get<std::string>() << ": claims and prediction for "
            << j["shape"].get<std::string>() << " on an " << j["machine"].get<std::string>()
            << (simt ? "; run here as " + j["run_shape"].get<std::string>() : "") << "\n\n"
            << left("step", 27) << right("launches", 9) << right("MB asked", 12)
            << right("distinct", 12) << right("held", 10) << right("GFLOP", 10)
            << right("predicted", 12);
  if (simt)
    std::cout << right("claimed here", 15) << right("counted", 10) << "  MB, distinct\n";
  else
    std::cout << right("measured", 12) << right("of floor", 10) << "\n";
  for (const Json& s : j["steps"]) {
    const Json& bytes = s["bytes"];
    std::cout << left(s["step"], 27) << right(cell(s["launches"].get<double>(), 0), 9)
              << right(megabytes(bytes, "loaded", "stored"), 12)
              << right(megabytes(bytes, "distinct_loaded", "distinct_stored"), 12)
              << right(cell(s["held_bytes"].get<double>() * 1e-6, 3), 10)
              << right(cell(s["flops"].get<double>() * 1e-9, 2), 10)
              << right(milliseconds(s["predicted_ms"]) + " ms", 12);
    if (simt)
      std::cout << right(megabytes(s["run_bytes"], "distinct_loaded", "distinct_stored"), 15)
                << right(megabytes(s["counted_bytes"], "distinct_loaded", "distinct_stored"), 10);
    else
      std::cout << right(milliseconds(s["median_ms"]) + " ms", 12)
                << right(cell(100 * s["share_of_prediction"].get<double>(), 0) + " %", 10);
    std::cout << "\n";
  }
  std::cout << "\n";
  for (const Json& s : j["steps"])
    std::cout << left(s["step"], 27) << s["idea"].get<std::string>() << "\n"
              << left("", 27) << "outcome: " << s["outcome"].get<std::string>() << "\n";
  if (simt && j["steps"][0]["counted_bytes"].is_null())
    std::cout << "\nBytes are counted by simt's checker: -DCAIRN_SIMT_CHECKER=ON\n";
}

}  // namespace

std::vector<std::string> ladder_names() {
  std::vector<std::string> names;
  for (const NamedLadder& l : ladders) names.push_back(l.name);
  return names;
}

LadderExample ladder_example(const std::string& name, Device device, LadderSize size, bool values) {
  std::string names;
  for (const NamedLadder& l : ladders) {
    if (l.name == name) return l.make({device, size == LadderSize::gpu, values});
    names += (names.empty() ? "" : ", ") + std::string(l.name);
  }
  throw UsageError("--ladder", "'" + name + "'", names, "choose one of these");
}

void bench_ladder(const std::string& name, Device device, bool json) {
  if (device == Device::cpu)
    throw UsageError("--ladder", "ladders are kernels for a GPU, asked for on cpu", "simt or cuda",
                     "choose one with --device");
  const bool cuda = device == Device::cuda;
  const MachineModel& machine = machine_model("h200");
  const LadderExample claims = ladder_example(name, device, LadderSize::gpu, cuda),
                      here = cuda ? claims : ladder_example(name, device, LadderSize::small, true);
  Json steps = Json::array();
  for (size_t i = 0; i < claims.steps.size(); ++i) {
    const LadderStep &step = claims.steps[i], &run = here.steps[i];
    const LadderLaunch all = total(step);
    const double predicted = predicted_ms(step, machine);
    steps.push_back({{"step", step.name},
                     {"idea", step.idea},
                     {"launches", step.launches.size()},
                     {"bytes", as_json(all.bytes)},
                     {"flops", all.flops},
                     {"held_bytes", step.held},
                     {"predicted_ms", predicted}});
    if (cuda) {
      const double ms = measure_kernel(device, run.run).median_ms;
      steps.back().update({{"median_ms", ms}, {"share_of_prediction", predicted / ms}});
    } else {
      steps.back().update(
          {{"run_bytes", as_json(total(run).bytes)}, {"counted_bytes", counted(run)}});
    }
    steps.back()["outcome"] = step.outcome;
  }
  const Json all{{"ladder", name},          {"device", cairn::name(device)},
                 {"machine", machine.name}, {"shape", claims.shape},
                 {"run_shape", here.shape}, {"steps", steps}};
  json ? print_json(all) : print(all);
}

}  // namespace cairn
