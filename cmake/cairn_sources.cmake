# The lists of files, by pattern: adding an op, a model, a verb or a test edits no list.

function(cairn_glob out)
  set(patterns)
  foreach(pattern ${ARGN})
    list(APPEND patterns ${PROJECT_SOURCE_DIR}/${pattern})
  endforeach()
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${patterns})
  list(SORT files)
  set(${out} ${files} PARENT_SCOPE)
endfunction()

# Every models/NAME.cpp but model.cpp is a system and defines make_NAME(): the list of them.
file(GLOB model_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/models/*.cpp)
set(lines "")
foreach(file ${model_files})
  get_filename_component(name ${file} NAME_WE)
  if(NOT name STREQUAL "model")
    string(APPEND lines "CAIRN_SYSTEM(${name})\n")
  endif()
endforeach()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/models.inc CONTENT "${lines}")
