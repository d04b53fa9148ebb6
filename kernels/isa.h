#pragma once
// Which instruction set the hot loops use. Files named *.isa.cpp are compiled once per level, each
// into the namespace of that level (CAIRN_ISA); CAIRN_ON_EACH_ISA declares a function in all of
// them and CAIRN_ISA_CALL picks one at run time:
//
//   CAIRN_ON_EACH_ISA(void scale(float* x, int64_t count);)
//   ... CAIRN_ISA_CALL(scale, x, count);
//
// An *.isa.cpp file keeps to plain pointers and its own templates: an inline function of the
// standard library, compiled there, could be the copy that the linker keeps for a lesser processor.
namespace cairn {

enum class Isa { baseline, avx2, avx512 };

/// The best level that this processor and this build have, or the one set by use_isa().
Isa isa();

/// For tests: use `level`, or the best there is if that is less.
void use_isa(Isa level);

}  // namespace cairn

#if defined(__x86_64__)
#define CAIRN_ON_EACH_ISA(...) \
  namespace baseline {         \
  __VA_ARGS__                  \
  }                            \
  namespace avx2 {             \
  __VA_ARGS__                  \
  }                            \
  namespace avx512 {           \
  __VA_ARGS__                  \
  }
#define CAIRN_ISA_CALL(function, ...)                                     \
  (::cairn::isa() == ::cairn::Isa::avx512 ? avx512::function(__VA_ARGS__) \
   : ::cairn::isa() == ::cairn::Isa::avx2 ? avx2::function(__VA_ARGS__)   \
                                          : baseline::function(__VA_ARGS__))
#else
#define CAIRN_ON_EACH_ISA(...) \
  namespace baseline {         \
  __VA_ARGS__                  \
  }
#define CAIRN_ISA_CALL(function, ...) baseline::function(__VA_ARGS__)
#endif
