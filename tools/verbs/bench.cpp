// cairn bench: how fast models, training steps and kernels are, and how far from the machine's
// limit.
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>

#include "geometry/ransac.h"
#include "kernels/elementwise/cast.h"
#include "models/detector.h"
#include "models/matching.h"
#include "runtime/arithmetic.h"
#include "runtime/autotuner.h"
#include "runtime/error.h"
#include "runtime/flops.h"
#include "runtime/graph.h"
#include "runtime/memory.h"
#include "runtime/random.h"
#include "runtime/threads.h"
#include "tools/kernel_table.h"
#include "tools/ladders.h"
#include "tools/machine_models.h"
#include "tools/measure.h"
#include "tools/profile_option.h"
#include "tools/verb.h"
#include "training/noise_batch.h"
#include "training/training_step.h"

namespace cairn {
namespace {

struct BenchOptions {
  std::string model, size, only, machine, ladder, profile;
  std::vector<std::string> set, loss;
  int batch = 1;
  bool detect = false, match = false, json = false;
  Device device = Device::cpu;
  DType precision = DType::f32;
};

Tensor noise(const Shape& shape, Device device) {
  Tensor t = Tensor::empty(shape);
  Random random(1);
  for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(random.uniform());
  return t.to(device);
}

// Of the images that a system is made for.
std::string usual_size(const std::string& model) {
  if (model == "stacked_hourglass") return "256x256";
  if (model == "landmark_autoencoder") return "80x80";
  if (model == "factorized_embeddings") return "56x56";
  return "480x640";
}

struct Bench {
  std::unique_ptr<Model> model;
  std::unique_ptr<Parameters> parameters;
  Size size;

  explicit Bench(const BenchOptions& o)
      : size(parse_size("--size", o.size.empty() ? usual_size(o.model) : o.size)) {
    require_available(o.device);
    // To show what it looks like: the times, and the choices, are the emulator's.
    if (o.device == Device::simt) autotuner(o.device).set_measuring(true);
    model = make_model(o.model, assignments("--set", o.set));
    model->set_loss_options(assignments("--loss", o.loss));
    parameters = std::make_unique<Parameters>(*model, o.device);
    parameters->initialize(1);
    const int multiple = model->size_multiple();
    if (size.height % multiple || size.width % multiple)
      throw UsageError("--size", o.size, text("multiples of ", multiple), "round the sides up");
  }
  std::string size_text() const { return text(size.height, 'x', size.width); }
  Shape image_shape(int batch) const { return {batch, size.height, size.width, model->channels()}; }
};

// Multiply-adds of the network's convolutions, counted as they run.
double count_flops(const std::function<void()>& work) {
  const FlopCounter counter;
  work();
  return counter.flops();
}

// What the convolutions took, and where that is kept.
Json choices_of(Device d) {
  Json list = Json::array();
  for (const auto& [problem, c] : autotuner(d).choices())
    list.push_back({{"problem", problem},
                    {"algorithm", c.algorithm},
                    {"ms", c.ms},
                    {"first_ms", c.first_ms},
                    {"wrong", c.wrong}});
  return {{"kept_in", autotuner(d).kept_in()}, {"algorithms", list}};
}

void print_choices(const Json& choices) {
  const std::string kept_in = choices["kept_in"];
  std::cout << "  chosen by measurement, ms of it and of what the shape alone suggests ("
            << (kept_in == "nowhere" ? "not kept" : "kept in " + kept_in) << ")\n"
            << std::setprecision(4);
  for (const Json& c : choices["algorithms"])
    std::cout << "    " << std::left << std::setw(80) << c["problem"].get<std::string>() << "  "
              << std::setw(22) << c["algorithm"].get<std::string>() << std::right << std::setw(10)
              << c["ms"].get<double>() << std::setw(10) << c["first_ms"].get<double>() << '\n';
  for (const Json& c : choices["algorithms"])
    if (c["wrong"] != "none")
      std::cout << "    not taken, as its results differ by this share of the largest: "
                << c["problem"].get<std::string>() << "  " << c["wrong"].get<std::string>() << '\n';
}

void report(const BenchOptions& o, const Bench& b, const Timing& t, double flops, Json extra) {
  const size_t peak = memory(o.device).use().peak;  // before the limit's own arrays
  const MachineLimit limit = measure_limit(o.device);
  const double rate = flops / (t.median_ms * 1e-3);
  Json j{{"model", o.model},
         {"device", name(o.device)},
         {"batch", o.batch},
         {"size", b.size_text()},
         {"precision", o.precision == DType::bf16 ? "bf16"
                       : tf32_products()          ? "tf32"
                                                  : "fp32"},
         {"threads", thread_count()},
         {"median_ms", t.median_ms},
         {"min_ms", t.min_ms},
         {"first_ms", t.first_ms},
         {"runs", t.runs},
         {"peak_bytes", peak},
         {"parameters", b.parameters->count()},
         {"gflop", flops * 1e-9},
         {"gflop_per_s", rate * 1e-9},
         {"limit_gflop_per_s", limit.flop_per_s * 1e-9},
         {"share_of_limit", rate / limit.flop_per_s}};
  j.update(extra);
  if (o.device != Device::cpu) j["choices"] = choices_of(o.device);
  if (o.json) return print_json(j);
  std::cout << std::fixed << std::setprecision(1) << o.model << ", " << o.batch << " x "
            << b.size_text() << ", " << b.parameters->count() << " parameters, " << name(o.device)
            << ", " << thread_count() << " threads\n"
            << "  median   " << t.median_ms << " ms (least " << t.min_ms << ", first " << t.first_ms
            << ", " << t.runs << " runs)\n"
            << "  rate     " << rate * 1e-9 << " GFLOP/s of " << limit.flop_per_s * 1e-9
            << " that a matrix product reaches here: " << 100 * rate / limit.flop_per_s
            << " % (counted as direct convolution; Winograd may pass 100 %)\n"
            << "  memory   " << double(peak) * 1e-6 << " MB at the peak\n";
  for (const auto& [key, value] : extra.items()) {
    std::cout << "  " << key << "  ";
    value.is_number_float() ? std::cout << value.get<double>() : std::cout << value;
    std::cout << '\n';
  }
  if (j.contains("choices")) print_choices(j["choices"]);
}

// Ten more runs, which no timing has to do with.
void profile_runs(const BenchOptions& o, Profile* profile, const std::function<void()>& f) {
  if (!profile) return;
  profile->start(o.device);
  for (int i = 0; i < 10; ++i) {
    const ProfileRange range(Work::host, "run");
    f();
    synchronize(o.device);
  }
  profile->finish();
  print_profile(profile, o.json);
}

// The work of f, which stays the same, as a graph where there are graphs.
std::function<void()> captured(Device device, const std::function<void()>& f) {
  if (!Graph::exists_on(device)) return f;
  f();  // makes what is made once
  const auto graph = std::make_shared<Graph>(device, f);
  return [graph] { graph->replay(); };
}

void bench_model(const BenchOptions& o) {
  const std::unique_ptr<Profile> profile = make_profile(o.profile);
  Bench b(o);
  require_computing_in(o.precision, o.device, *b.model);
  const Tensor image = as_type(noise(b.image_shape(o.batch), o.device), o.precision);
  DetectOptions options;
  options.threshold = 0.005;
  const auto run_network = [&] { b.model->raw_outputs(image); };
  const auto eager = [&] { b.model->detect(image, options); };
  const double flops = o.detect ? count_flops(eager) : count_flops(run_network);
  memory(o.device).release_cached();
  memory(o.device).reset_peak();
  InferenceWeights weights;
  const InferenceWeights::Use use(weights);
  const std::function<void()> network = captured(o.device, run_network);
  Json extra = Json::object();
  if (!o.detect) {
    if (Graph::exists_on(o.device)) extra["eager_ms"] = measure(o.device, run_network).median_ms;
    report(o, b, measure(o.device, network), flops, extra);
    return profile_runs(o, profile.get(), run_network);
  }
  // From the image to keypoints; the network alone in the same process gives what comes after it.
  Detector detector(*b.model, options, {o.device, o.precision});
  const auto detect = [&] { detector.detect(image); };
  if (Graph::exists_on(o.device)) {
    extra["eager_ms"] = measure(o.device, eager).median_ms;
    while (!detector.captured(image.shape())) detect();
  }
  const Timing whole = measure(o.device, detect), alone = measure(o.device, network);
  extra["network_ms"] = alone.median_ms;
  extra["post_ms"] = whole.median_ms - alone.median_ms;
  report(o, b, whole, flops, extra);
  profile_runs(o, profile.get(), detect);
}

// Rows and columns from `offset` on of [1,H,W,C].
Tensor window(const Tensor& image, int64_t offset, const Shape& shape) {
  Tensor part = Tensor::empty(shape);
  const int64_t row = shape[2] * shape[3];
  for (int64_t y = 0; y < shape[1]; ++y)
    std::copy_n(image.data<float>() + ((y + offset) * image.dim(2) + offset) * shape[3], row,
                part.data<float>() + y * row);
  return part;
}

// Two views of one noisy plane, the second moved by two cells of SuperPoint: to keypoints one after
// the other, to matches, and to a homography.
void bench_match(const BenchOptions& o) {
  const std::unique_ptr<Profile> profile = make_profile(o.profile);
  Bench b(o);
  const Shape s = b.image_shape(1);
  const Tensor plane = noise({1, s[1] + 16, s[2] + 16, s[3]}, Device::cpu);
  const Tensor images[2] = {window(plane, 0, s).to(o.device), window(plane, 16, s).to(o.device)};
  DetectOptions options;
  options.threshold = 0.005;
  Detector detector(*b.model, options, {o.device});
  Keypoints found[2];
  std::vector<Match> matches;
  const auto detect = [&] {
    for (int i : {0, 1}) found[i] = detector.detect(images[i]).at(0);
  };
  const double flops = count_flops(detect);
  const auto match = [&] { matches = match_keypoints(found[0], found[1], {}, o.device); };
  const auto fit = [&] {
    std::vector<Point> from, to;
    for (const Match& m : matches) {
      const auto &p = found[0].points[m.a], &q = found[1].points[m.b];
      from.push_back({p[0], p[1]});
      to.push_back({q[0], q[1]});
    }
    ransac_homography(from, to);
  };
  memory(o.device).release_cached();
  memory(o.device).reset_peak();
  const auto all = [&] {
    detect();
    match();
    fit();
  };
  const Timing whole = measure(o.device, all);
  const Timing matching = measure(o.device, match), fitting = measure(o.device, fit);
  report(o, b, whole, flops,
         {{"matches", matches.size()},
          {"matching_ms", matching.median_ms},
          {"homography_ms", fitting.median_ms}});
  profile_runs(o, profile.get(), all);
}

void bench_train(BenchOptions o) {
  if (o.model == "magicpoint" && o.set.empty()) o.set = {"norm=none"};
  const std::unique_ptr<Profile> profile = make_profile(o.profile);
  Bench b(o);
  Batch batch = noise_batch(*b.model, o.batch, b.size.height, b.size.width, 1);
  for (auto& [name, t] : batch) t = t.to(o.device);  // where training makes it
  const double flops = count_flops([&] { b.model->raw_outputs(batch.at("image").to(o.device)); });
  Optimizer optimizer(OptimizerConfig::defaults(OptimizerKind::adam), *b.parameters);
  TrainingStep eager(*b.model, *b.parameters, optimizer,
                     {.capture = false, .activations = o.precision}),
      step(*b.model, *b.parameters, optimizer, {.activations = o.precision});
  if (Graph::exists_on(o.device)) eager.run(batch, 1e-3);  // may measure, in more memory
  memory(o.device).release_cached();
  memory(o.device).reset_peak();
  Json extra = Json::object();
  if (Graph::exists_on(o.device)) {  // first: the graph would keep its memory beside it
    extra["eager_ms"] = measure(o.device, [&] { eager.run(batch, 1e-3); }).median_ms;
    while (!step.captured()) step.run(batch, 1e-3);
  }
  const Timing t = measure(o.device, [&] { step.run(batch, 1e-3); });
  extra["images_per_s"] = double(batch.at("image").dim(0)) / (t.median_ms * 1e-3);
  // Forward, and the gradients of data and weights, each as many operations as the forward.
  report(o, b, t, 3 * flops, extra);
  profile_runs(o, profile.get(), [&] { step.run(batch, 1e-3); });
}

KernelSizes sizes_on(Device d) {
  return d == Device::simt   ? KernelSizes::simt
         : d == Device::cuda ? KernelSizes::gpu
                             : KernelSizes::cpu;
}

Json as_json(const KernelRow& k) {
  return {{"kernel", k.name}, {"op", k.op},       {"shape", k.shape},
          {"bytes", k.bytes}, {"moved", k.moved}, {"flops", k.flops}};
}

void print_start(const std::string& kernel, const std::string& shape) {
  std::cout << std::left << std::setw(34) << kernel << std::setw(24) << shape << std::right;
}

// What the kernels take on a machine that is not here.
void predict_kernels(const BenchOptions& o) {
  const MachineModel& machine = machine_model(o.machine);
  Json rows = Json::array();
  visit_kernels(Device::cpu, KernelSizes::predicted, [&](const KernelRow& k) {
    if (k.name.find(o.only) == std::string::npos) return;
    const MachineModel::Floor floor = machine.floor(k.bytes, k.flops, k.type);
    Json row = as_json(k);
    row.update({{"floor_ms", floor.seconds * 1e3}, {"bound", floor.bound}});
    rows.push_back(row);
  });
  if (o.json)
    return print_json({{"model", machine.name}, {"source", machine.source}, {"kernels", rows}});
  std::cout << machine.source << "\n\n";
  print_start("kernel", "shape");
  std::cout << std::setw(10) << "MB" << std::setw(10) << "moved" << std::setw(10) << "GFLOP"
            << std::setw(12) << "floor us"
            << "  bound by\n"
            << std::fixed;
  for (const Json& r : rows) {
    print_start(r["kernel"], r["shape"]);
    std::cout << std::setprecision(2) << std::setw(10) << r["bytes"].get<double>() * 1e-6
              << std::setw(10) << r["moved"].get<double>() * 1e-6 << std::setprecision(3)
              << std::setw(10) << r["flops"].get<double>() * 1e-9 << std::setprecision(1)
              << std::setw(12) << r["floor_ms"].get<double>() * 1e3 << "  "
              << r["bound"].get<std::string>() << '\n';
  }
}

void bench_kernels(const BenchOptions& o) {
  if (!o.machine.empty()) return predict_kernels(o);
  require_available(o.device);
  const MachineLimit limit = measure_limit(o.device);
  std::map<double, double> copies;  // ms of one that moves so many bytes
  Json rows = Json::array();
  visit_kernels(o.device, sizes_on(o.device), [&](const KernelRow& k) {
    if (k.name.find(o.only) == std::string::npos) return;
    k.prepare();
    const Timing t = measure_kernel(o.device, k.run);
    const double rate = k.type == DType::bf16 ? limit.bf16_flop_per_s : limit.flop_per_s,
                 floor = std::max(k.bytes / limit.bytes_per_s, k.flops / rate) * 1e3;
    Json row = as_json(k);
    row.update({{"median_ms", t.median_ms},
                {"gb_per_s", k.bytes / t.median_ms * 1e-6},
                {"gflop_per_s", k.flops / t.median_ms * 1e-6},
                {"floor_ms", floor},
                {"share_of_limit", floor / t.median_ms}});
    const bool memory_bound = k.bytes / limit.bytes_per_s > k.flops / rate;
    if (memory_bound && Graph::exists_on(o.device)) {
      if (!copies.contains(k.bytes)) copies[k.bytes] = measure_copy(o.device, k.bytes).median_ms;
      row.update({{"copy_ms", copies[k.bytes]}, {"share_of_copy", copies[k.bytes] / t.median_ms}});
    }
    rows.push_back(row);
  });
  if (o.json)
    return print_json({{"device", name(o.device)},
                       {"threads", thread_count()},
                       {"limit_gflop_per_s", limit.flop_per_s * 1e-9},
                       {"limit_bf16_gflop_per_s", limit.bf16_flop_per_s * 1e-9},
                       {"limit_gb_per_s", limit.bytes_per_s * 1e-9},
                       {"kernels", rows}});
  std::cout << name(o.device) << ", " << thread_count() << " threads: limits " << std::fixed
            << std::setprecision(1) << limit.flop_per_s * 1e-9 << " GFLOP/s, "
            << limit.bytes_per_s * 1e-9 << " GB/s\n";
  print_start("kernel", "shape");
  const bool beside_copies = Graph::exists_on(o.device);
  std::cout << std::setw(10) << "ms" << std::setw(10) << "MB" << std::setw(10) << "MFLOP"
            << std::setw(11) << "of limit" << (beside_copies ? "  of a copy\n" : "\n");
  for (const Json& r : rows) {
    print_start(r["kernel"], r["shape"]);
    std::cout << std::setprecision(3) << std::setw(10) << r["median_ms"].get<double>()
              << std::setprecision(1) << std::setw(10) << r["bytes"].get<double>() * 1e-6
              << std::setw(10) << r["flops"].get<double>() * 1e-6 << std::setw(9)
              << 100 * r["share_of_limit"].get<double>() << " %";
    if (r.contains("share_of_copy"))
      std::cout << std::setw(9) << 100 * r["share_of_copy"].get<double>() << " %";
    std::cout << '\n';
  }
}

}  // namespace

void add_bench(CLI::App& verb) {
  describe(verb, "Time models, training steps and kernels",
           "cairn bench model superpoint --size 480x640 --threads 2\n"
           "  cairn bench train magicpoint --batch 8 --size 120x160\n  cairn bench kernels\n  "
           "cairn bench kernels --model h200\n  cairn bench kernels --ladder spatial_softmax");
  auto o = std::make_shared<BenchOptions>();
  const auto common = [&](CLI::App* sub) {
    add_device_options(*sub, o->device);
    add_json_option(*sub, o->json);
  };
  std::string names, ladders;
  for (const std::string& name : model_names()) names += (names.empty() ? "" : ", ") + name;
  for (const std::string& name : ladder_names()) ladders += (ladders.empty() ? "" : ", ") + name;
  const auto of_model = [&](CLI::App* sub) {
    sub->add_option("MODEL", o->model, names + "; or a variant of one: superpoint-mnv2")
        ->required()
        ->type_name("");
    sub->add_option("--size", o->size,
                    "height x width; default 480x640, stacked_hourglass 256x256, "
                    "landmark_autoencoder 80x80, factorized_embeddings 56x56")
        ->type_name("HxW");
    sub->add_option("--batch", o->batch, "images, or pairs of them where a loss takes pairs")
        ->check(CLI::PositiveNumber)
        ->type_name("N");
    sub->add_option("--set", o->set, "an option of the model")
        ->type_name("OPTION=VALUE")
        ->allow_extra_args(false);
    add_profile_option(*sub, o->profile, "ten more runs after those that are timed");
    common(sub);
  };
  CLI::App* model = verb.add_subcommand("model", "one forward pass");
  of_model(model);
  add_precision_option(*model, o->device, o->precision);
  model->add_flag("--detect", o->detect, "from the image to keypoints and descriptors");
  model->add_flag("--match", o->match,
                  "two images to keypoints, matches and a homography, in sequence");
  model->callback([o] { o->match ? bench_match(*o) : bench_model(*o); });
  CLI::App* train = verb.add_subcommand("train", "one training step");
  of_model(train);
  train->add_option("--loss", o->loss, "an option of the loss, as in a recipe's [loss]")
      ->type_name("OPTION=VALUE")
      ->allow_extra_args(false);
  add_precision_option(*train, o->device, o->precision);
  train->callback([o] { bench_train(*o); });
  CLI::App* kernels =
      verb.add_subcommand("kernels", "a table of kernels with bytes, FLOPs and share of the limit");
  kernels->add_option("--only", o->only, "kernels whose name contains this")->type_name("TEXT");
  kernels
      ->add_option("--model", o->machine,
                   "run nothing: bytes, FLOPs and least times on this machine (h200)")
      ->type_name("NAME");
  kernels
      ->add_option("--ladder", o->ladder,
                   "a kernel step by step, from its naive version on, on simt or cuda: " + ladders)
      ->type_name("NAME");
  common(kernels);
  kernels->callback([o, kernels] {
    if (o->ladder.empty()) return bench_kernels(*o);
    const bool asked = kernels->count("--device") > 0;
    bench_ladder(o->ladder, asked || o->device == Device::cuda ? o->device : Device::simt, o->json);
  });
  verb.require_subcommand(1);
}

}  // namespace cairn
