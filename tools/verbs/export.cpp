// cairn export: models for other runtimes.
#include <iostream>

#include "models/model_file.h"
#include "models/onnx/export.h"
#include "runtime/atomic_file.h"
#include "runtime/error.h"
#include "tools/detect_options.h"

namespace cairn {
namespace {

struct ExportArguments {
  std::string model, architecture, onnx, size;
  DetectOptions detect{.top_k = 0};
  bool json = false;
};

void run(const ExportArguments& o) {
  const LoadedModel loaded = load_model(o.model, o.architecture, Device::cpu);
  OnnxOptions options;
  if (!o.size.empty()) {
    const Size size = parse_size("--size", o.size);
    options = {size.height, size.width};
  }
  const bool points = o.detect.top_k > 0;
  const std::string file = points ? onnx_keypoints(*loaded.model, options, o.detect)
                                  : onnx_network(*loaded.model, options);
  write_file(o.onnx, file);
  const std::string what = points ? "points" : "network";
  if (o.json) return print_json({{"onnx", o.onnx}, {"bytes", file.size()}, {"outputs_of", what}});
  std::cout << o.onnx << ": " << loaded.model->architecture() << ", from the image to its "
            << (points ? text(o.detect.top_k, " best points") : std::string("raw outputs")) << ", "
            << file.size() << " bytes\n";
}

}  // namespace

void add_export(CLI::App& verb) {
  describe(verb, "Write a model as ONNX: the network, or SuperPoint down to its points",
           "cairn export --model superpoint.safetensors --onnx network.onnx\n"
           "  cairn export --model superpoint.safetensors --onnx points.onnx --size 480x640 "
           "--top-k 1000");
  auto o = std::make_shared<ExportArguments>();
  add_model_options(verb, o->model, o->architecture);
  verb.add_option("--onnx", o->onnx, "the file to write")->required()->type_name("FILE");
  verb.add_option(
          "--size", o->size,
          "height x width of the one image it takes; left open, with the batch, unless given")
      ->type_name("HxW");
  verb.add_option("--top-k", o->detect.top_k,
                  "also softmax, suppression (as --threshold, --nms and --border say), this many "
                  "points and their descriptors")
      ->type_name("K")
      ->check(CLI::Range(1, 1000000));
  add_point_options(verb, o->detect);
  add_json_option(verb, o->json);
  verb.callback([o] { run(*o); });
}

}  // namespace cairn
