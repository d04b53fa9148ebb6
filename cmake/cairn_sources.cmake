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

# A generated list of the names in a folder, one MACRO(NAME) a line: systems, tasks and verbs are
# found by file name, so that no central switch must be edited.
function(cairn_name_list macro inc pattern except)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${pattern})
  set(lines "")
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    if(NOT name IN_LIST except)
      string(APPEND lines "${macro}(${name})\n")
    endif()
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${inc} CONTENT "${lines}")
endfunction()
cairn_name_list(CAIRN_SYSTEM models.inc models/*.cpp "crop_rule;detector;image_crop;image_detection;instance_detection;keypoint_files;landmark_keypoints;matching;model;model_file;skeleton")  # each defines make_NAME()
cairn_name_list(CAIRN_TASK tasks.inc training/tasks/*.cpp "")  # each defines make_NAME_task()
cairn_name_list(CAIRN_VERB verbs.inc tools/verbs/*.cpp "")  # each defines add_NAME()
