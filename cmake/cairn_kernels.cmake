# How sources are compiled: what all of them share, and the two ways of a kernel file (.cu).

function(cairn_defines target)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  target_include_directories(${target} SYSTEM PRIVATE
    ${CAIRN_JSON_INCLUDE} ${CAIRN_STB_INCLUDE} ${CAIRN_CLI11_INCLUDE})
  foreach(feature CUDA SIMT ONEDNN)
    if(CAIRN_HAS_${feature})
      target_compile_definitions(${target} PUBLIC CAIRN_HAS_${feature})
    endif()
  endforeach()
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-unknown-pragmas>)
endfunction()

# One generated line per kernel file: compiles FILE.cu with the host compiler as the device simt. Under
# CAIRN_SIMT_CHECKER every access to memory calls the checker (kernels/simt/checker/checker.h); the
# emulator itself is compiled without.
function(cairn_simt_kernels target)
  set(made)
  foreach(cu ${ARGN})
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${cu})
    string(REPLACE ".cu" ".simt.cpp" cpp ${CMAKE_BINARY_DIR}/simt/${name})
    file(CONFIGURE OUTPUT ${cpp} CONTENT "#include \"${name}\"\n")
    list(APPEND made ${cpp})
  endforeach()
  add_library(${target} OBJECT ${made})
  cairn_defines(${target})
  target_compile_definitions(${target} PRIVATE CAIRN_NS=simt)
  # Reports name files as seen from the project's folder. No contraction: the same bits on every host.
  target_compile_options(${target} PRIVATE -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/= -ffp-contract=off)
  if(CAIRN_SIMT_CHECKER)
    target_compile_options(${target} PRIVATE -g1 -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
      -fsanitize=thread -fsanitize=bounds-strict)
  endif()
endfunction()

function(cairn_cuda_kernels target)
  add_library(${target} OBJECT ${ARGN})
  cairn_defines(${target})
  target_compile_definitions(${target} PRIVATE CAIRN_NS=cuda)
  target_compile_options(${target} PRIVATE
    --expt-relaxed-constexpr -lineinfo --compress-mode=size -Xptxas=-v,-warn-spills)
endfunction()
