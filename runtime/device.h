#pragma once
// The three devices, and which of them this build has.
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

enum class Device : unsigned char {
  cpu,   ///< plain C++ with a thread pool
  simt,  ///< the CUDA kernels on the host: every CUDA thread a fiber
  cuda,  ///< the CUDA kernels on a GPU
};

namespace build {
#ifdef CAIRN_HAS_CUDA
inline constexpr bool has_cuda = true;
#else
inline constexpr bool has_cuda = false;
#endif
#ifdef CAIRN_HAS_SIMT
inline constexpr bool has_simt = true;
#else
inline constexpr bool has_simt = false;
#endif
#ifdef CAIRN_HAS_ONEDNN
inline constexpr bool has_onednn = true;
#else
inline constexpr bool has_onednn = false;
#endif
}  // namespace build

const char* name(Device);
inline std::ostream& operator<<(std::ostream& out, Device d);

/// "cpu", "simt" or "cuda"; anything else is a UsageError with the list.
Device parse_device(std::string_view);

/// Empty when `d` can be used here; otherwise which of build, driver, GPU is missing, as a
/// sentence.
std::string why_unavailable(Device d);

/// Throws an Error that says what is missing unless `d` can be used here.
void require_available(Device d);

/// The devices that can be used here, cpu first.
std::vector<Device> available_devices();

/// Waits until all work given to `d` so far is done. Only cuda runs behind the caller's back.
void synchronize(Device d);

}  // namespace cairn

#include <ostream>
inline std::ostream& cairn::operator<<(std::ostream& out, Device d) { return out << name(d); }
