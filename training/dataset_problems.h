#pragma once
// What can be wrong with annotated images. Readers and inspect() collect all of it before anyone
// decides: `cairn check` prints the list, training refuses a data set with errors and says of
// warnings what it left out.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cairn {

/// One word for each kind; its sentences are in dataset_problems.cpp, its meaning for users in
/// docs/your_own_images.md.
enum class Problem {
  // Errors: the file contradicts itself, or what it says cannot be meant.
  bad_entry,
  bad_id,
  duplicate_id,
  unknown_image,
  unknown_category,
  keypoint_count,
  bad_coordinate,
  bad_visibility,
  bad_box,
  bad_names,
  bad_swap,
  two_skeletons,
  keypoints_txt,
  image_size,
  mostly_outside,
  no_labels,
  no_images,
  // Warnings: there is a documented way to go on.
  image_missing,
  image_unreadable,
  image_without_labels,
  no_box,
  empty_box,
  no_area,
  label_outside,
  never_labelled,
  never_visible,
  nested_keypoints,
  label_count,
  other_category,
  no_names,
  no_swap,
  names_not_swapped,
  mirrored_elsewhere,
  bones,
};
inline constexpr int problem_kinds = int(Problem::bones) + 1;

struct ProblemFacts {
  const char* name;  ///< of the enumerator
  bool error;
  const char* what;    ///< what the listed places have in common
  const char* remedy;  ///< what to do; of warnings also what happens otherwise
};
const ProblemFacts& facts(Problem p);

/// All that is wrong with one annotation file. A place names the entry and what stands there:
/// "annotation 7, keypoint 3 (left_eye): x is \"12\"".
class Problems {
 public:
  void add(Problem kind, std::string place) { places_[kind].push_back(std::move(place)); }
  void add(const Problems& other);

  const std::map<Problem, std::vector<std::string>>& places() const { return places_; }
  int64_t count(bool errors) const;
  bool has_errors() const { return count(true) > 0; }

  /// Kinds, sentences and the first places of each kind, for people; "" when there are none.
  std::string summary(bool errors, size_t places_of_each) const;

 private:
  std::map<Problem, std::vector<std::string>> places_;
};

/// Throws an Error with everything that is an error.
void require_no_errors(const std::string& source, const Problems& problems);

}  // namespace cairn
