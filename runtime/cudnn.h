#pragma once
// Convolutions by cuDNN, through its graph interface: a convolution, and a bias and ReLU behind it,
// are described as a graph; heuristics name engines for it, and of those that can and may compute
// it the first most_plans become plans, among which Autotuner chooses; at most most_compiled of
// them are engines that the library compiles for a problem, in seconds. It is opened at first use,
// so that a program starts where it is missing.
//
// Left out are engines that may give other bits in the next run, that round factors or sums more
// than asked for, that transform (FFT, large Winograd tiles), or that need a larger workspace than
// most_workspace. NaN passes the ReLU.
#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/cudnn_api.h"
#include "runtime/device.h"
#include "runtime/dtype.h"

namespace cairn {

/// y [N,Ho,Wo,O] = relu(conv(x [N,H,W,C], w [O,kh,kw,C]) + bias [O]) or one of its gradients
/// without bias and ReLU; all channels-last, f32 or bf16, summed in f32.
struct CudnnConvolution {
  enum class Op : unsigned char { forward, backward_data, backward_weights };
  Op op;
  DType type;    ///< of the factors (and the bias)
  DType result;  ///< of what is written
  bool tf32;     ///< f32 factors may be rounded to TF32
  int64_t N, H, W, C, O, kh, kw, Ho, Wo;
  int64_t stride, padding, dilation;
  bool bias = false, relu = false;
  auto operator<=>(const CudnnConvolution&) const = default;
};

/// On 16 bytes each. The gradients lie where their tensors do.
struct CudnnTensors {
  void *x, *w, *y, *bias = nullptr;
};

class Cudnn {
 public:
  static constexpr size_t most_plans = 4, most_compiled = 2;
  static constexpr int64_t most_workspace = int64_t{256} << 20;

  /// One way to compute a convolution.
  struct Plan {
    std::string name;  ///< "cuDNN engine 34"; the same for the same version of the library
    int64_t workspace;
    std::shared_ptr<void> descriptor;
  };

  /// Opens the library `file`. Work goes to `stream` of the device.
  Cudnn(const std::string& file, Device device, void* stream);
  ~Cudnn();
  Cudnn(const Cudnn&) = delete;

  std::string version() const;  ///< "9.19.0"; empty when the library cannot be opened

  /// The plans for a convolution, the heuristics' favourite first; empty: it cannot. `only`: that
  /// of this name, if there is one. Made once, not while work of the device is captured: there are
  /// none then unless they were made before.
  std::vector<Plan> plans(const CudnnConvolution& problem, const std::string& only = "");

  /// Computes the convolution. Throws an Error when the library fails.
  void run(const CudnnConvolution& problem, const Plan& plan, const CudnnTensors& tensors);

 private:
  struct Made {
    std::vector<Plan> plans;
    bool all = false;
  };
  bool start();
  std::vector<Plan> made_plans(const CudnnConvolution& problem, const std::string& only) const;

  const Device device_;
  void* const stream_;
  cudnn::Functions functions_{};
  bool complete_ = false, started_ = false;
  void* handle_ = nullptr;
  std::mutex mutex_;
  std::map<CudnnConvolution, Made> plans_;
};

/// That of a device: libcudnn.so.9 on cuda, null where it is not installed; on simt none, but for
/// tests that bring one.
Cudnn* cudnn_of(Device d);
void bring_cudnn_to_simt(Cudnn* library);

}  // namespace cairn
