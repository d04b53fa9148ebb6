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

# One generated line per kernel file: compiles FILE.cu with the host compiler as the device simt.
function(cairn_simt_sources out)
  set(made)
  foreach(cu ${ARGN})
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${cu})
    string(REPLACE ".cu" ".simt.cpp" cpp ${CMAKE_BINARY_DIR}/simt/${name})
    file(CONFIGURE OUTPUT ${cpp} CONTENT "#include \"${name}\"\n")
    list(APPEND made ${cpp})
  endforeach()
  set(${out} ${made} PARENT_SCOPE)
endfunction()

# A generated list of the names in a folder, one MACRO(NAME) a line: systems, tasks and verbs are
# found by file name, so that no central switch must be edited.
function(cairn_name_list macro inc pattern except)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${pattern})
  set(lines "")
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    if(NOT name STREQUAL "${except}")
      string(APPEND lines "${macro}(${name})\n")
    endif()
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${inc} CONTENT "${lines}")
endfunction()
cairn_name_list(CAIRN_SYSTEM models.inc models/*.cpp model)  # each defines make_NAME()
cairn_name_list(CAIRN_TASK tasks.inc training/tasks/*.cpp "")  # each defines make_NAME_task()
