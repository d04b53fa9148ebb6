#pragma once
// Weights as files: safetensors with PyTorch's names and layouts, so that they travel both ways.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "layers/module.h"
#include "runtime/safetensors.h"

namespace cairn {

/// What a model file says about itself in its metadata.
inline constexpr const char* architecture_key = "cairn.architecture";  ///< "superpoint"
inline constexpr const char* options_key = "cairn.options";            ///< a JSON object

/// Every parameter and running statistic by its PyTorch name, on cpu, rank-4 parameters in
/// PyTorch's layout (O,I,kh,kw; transposed convolution I,O,kh,kw).
std::vector<std::pair<std::string, Tensor>> export_weights(Module& module);

/// Writes export_weights() with `metadata`, atomically.
void save_weights(const std::string& path, Module& module,
                  const std::map<std::string, std::string>& metadata = {});

/// Copies the file's values into the module, whose Parameters must have been made; floating types
/// are converted. Checks everything first, so that it loads all or nothing: throws one Error,
/// speaking as `path`, that lists every tensor that is missing, unexpected, of another shape or
/// type, or not finite. `num_batches_tracked` is ignored, as is what modules declare as unused
/// (Visitor::unused); names that begin with one of `optional` may be missing or unexpected.
void load_weights(Module& module, const SafetensorsFile& file, const std::string& path,
                  const std::vector<std::string>& optional = {});
void load_weights(Module& module, const std::string& path,
                  const std::vector<std::string>& optional = {});

/// How many elements are NaN or infinite; 0 for integers.
int64_t count_not_finite(const Tensor& t);

}  // namespace cairn
