#include "runtime/cuda_blas.h"

#include "runtime/cuda.h"
#include "runtime/error.h"

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>
#include <dlfcn.h>

#include <map>
#include <mutex>
#include <optional>
#include <tuple>

#include "runtime/memory.h"

namespace cairn::cuda {
namespace {

constexpr size_t workspace_bytes = size_t{32} << 20;  ///< what cuBLAS advises for sm_90 and above

constexpr uint32_t alignment = 16;  ///< of pointers, in bytes; the library would presume 256

// The functions of the library that are used here, each under its own name.
class Library {
 public:
  static const Library* open() {
    static const Library library;
    return library.handle ? &library : nullptr;
  }

#define CAIRN_EACH_BLAS_FUNCTION(X) \
  X(Create)                         \
  X(GetVersion)                     \
  X(Matmul)                         \
  X(MatmulAlgoGetHeuristic)         \
  X(MatmulDescCreate)               \
  X(MatmulDescSetAttribute)         \
  X(MatmulPreferenceCreate)         \
  X(MatmulPreferenceSetAttribute)   \
  X(MatrixLayoutCreate)
#define CAIRN_DECLARE(name) decltype(&cublasLt##name) name = nullptr;
  CAIRN_EACH_BLAS_FUNCTION(CAIRN_DECLARE)
#undef CAIRN_DECLARE
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulPreference_t preference = nullptr;

 private:
  Library() {
    void* file = dlopen(text("libcublasLt.so.", CUBLAS_VER_MAJOR).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!file) return;
    bool complete = true;
#define CAIRN_LOAD(name)                                                  \
  name = reinterpret_cast<decltype(name)>(dlsym(file, "cublasLt" #name)); \
  complete = complete && name;
    CAIRN_EACH_BLAS_FUNCTION(CAIRN_LOAD)
#undef CAIRN_LOAD
    if (!complete || Create(&handle) != CUBLAS_STATUS_SUCCESS) {
      handle = nullptr;
      return;
    }
    MatmulPreferenceCreate(&preference);
    MatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                 &workspace_bytes, sizeof(workspace_bytes));
    for (auto operand :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      MatmulPreferenceSetAttribute(preference, operand, &alignment, sizeof(alignment));
  }
};

// A product's shape and how the library will compute it. cuBLASLt counts columns first: a
// row-major C is its transpose, op(B)^T op(A)^T, so the operands change places.
struct Plan {
  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t left = nullptr, right = nullptr, out = nullptr;
  cublasLtMatmulAlgo_t algorithm{};
};

cublasLtMatrixLayout_t layout(const Library& l, cudaDataType type, int64_t rows, int64_t columns,
                              int64_t row_stride) {
  cublasLtMatrixLayout_t made = nullptr;
  l.MatrixLayoutCreate(&made, type, uint64_t(columns), uint64_t(rows), row_stride);
  return made;
}

template <class T>
void set(const Library& l, const Plan& plan, cublasLtMatmulDescAttributes_t attribute, T value) {
  l.MatmulDescSetAttribute(plan.product, attribute, &value, sizeof(value));
}

std::optional<Plan> make_plan(const Library& l, const BlasProduct& p) {
  const cudaDataType type = p.type == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
  Plan plan;
  l.MatmulDescCreate(&plan.product, p.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F,
                     CUDA_R_32F);
  set(l, plan, CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(l, plan, CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(l, plan, CUBLASLT_MATMUL_DESC_EPILOGUE,
      p.bias   ? (p.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS)
      : p.relu ? CUBLASLT_EPILOGUE_RELU
               : CUBLASLT_EPILOGUE_DEFAULT);
  if (p.bias) {
    set(l, plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    set(l, plan, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type);
  }
  const bool ta = p.transpose_a, tb = p.transpose_b;
  plan.left = layout(l, type, tb ? p.n : p.k, tb ? p.k : p.n, p.b_row);
  plan.right = layout(l, type, ta ? p.k : p.m, ta ? p.m : p.k, p.a_row);
  plan.out = layout(l, type, p.m, p.n, p.c_row);

  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const auto status = l.MatmulAlgoGetHeuristic(l.handle, plan.product, plan.left, plan.right,
                                               plan.out, plan.out, l.preference, 1, &found, &count);
  if (status != CUBLAS_STATUS_SUCCESS || count == 0) return std::nullopt;
  plan.algorithm = found.algo;
  return plan;
}

// Plans live as long as the program: a network has few shapes.
std::optional<Plan> plan_of(const Library& l, const BlasProduct& p) {
  static std::map<std::tuple<bool, bool, bool, bool, DType, bool, int64_t, int64_t, int64_t,
                             int64_t, int64_t, int64_t>,
                  std::optional<Plan>>
      plans;
  const auto [place, fresh] =
      plans.try_emplace({p.transpose_a, p.transpose_b, p.relu, p.bias != nullptr, p.type, p.tf32,
                         p.m, p.n, p.k, p.a_row, p.b_row, p.c_row});
  if (fresh) place->second = make_plan(l, p);
  return place->second;
}

bool aligned(const void* p) { return reinterpret_cast<uintptr_t>(p) % alignment == 0; }

}  // namespace

bool blas_product(const BlasProduct& p) {
  const Library* l = Library::open();
  if (!l || !aligned(p.a) || !aligned(p.b) || !aligned(p.c) || !aligned(p.bias)) return false;
  static std::mutex mutex;  // of the plans, one of which holds the bias until it is launched
  const std::lock_guard lock(mutex);
  const std::optional<Plan> plan = plan_of(*l, p);
  if (!plan) return false;
  if (p.bias) set(*l, *plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
  const auto workspace = memory(Device::cuda).allocate(workspace_bytes);
  const float one = 1, zero = 0;
  const auto status =
      l->Matmul(l->handle, plan->product, &one, p.b, plan->left, p.a, plan->right, &zero, p.c,
                plan->out, p.c, plan->out, &plan->algorithm, workspace.get(), workspace_bytes,
                static_cast<cudaStream_t>(stream()));
  if (status == CUBLAS_STATUS_SUCCESS) return true;
  throw Error("cublasLtMatmul",
              text("status ", int(status), " for m ", p.m, ", n ", p.n, ", k ", p.k), "success",
              "update cuBLAS, or remove it: Cairn then uses its own kernels");
}

std::string blas_version() {
  const Library* l = Library::open();
  if (!l) return "";
  const size_t v = l->GetVersion();
  return text(v / 10000, ".", v / 100 % 100, ".", v % 100);
}

}  // namespace cairn::cuda

#else  // built without its header: never used

namespace cairn::cuda {
bool blas_product(const BlasProduct&) { return false; }
std::string blas_version() { return ""; }
}  // namespace cairn::cuda

#endif
