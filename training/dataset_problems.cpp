#include "training/dataset_problems.h"

#include <algorithm>
#include <array>

#include "runtime/error.h"

namespace cairn {
namespace {

constexpr bool error = true, warning = false;

// In the order of the enumeration.
constexpr std::array<ProblemFacts, problem_kinds> table{{
    {"bad_entry", error, "entries without what they must have", "add what is named"},
    {"bad_id", error, "ids that are not whole numbers", "number the entries 1, 2, 3, ..."},
    {"duplicate_id", error, "ids given twice", "give every entry an id of its own"},
    {"unknown_image", error, "annotations of images that are not listed",
     "add the image to images, or remove the annotation"},
    {"unknown_category", error, "annotations of categories that are not listed",
     "add the category to categories, or correct category_id"},
    {"keypoint_count", error, "annotations with another number of keypoints",
     "write x, y, v for every keypoint in order; 0, 0, 0 for one that is missing"},
    {"bad_coordinate", error, "coordinates that are not numbers",
     "write numbers; a point that is not known has v = 0"},
    {"bad_visibility", error, "a visibility v other than 0, 1 or 2",
     "0 is missing, 1 is labelled but hidden, 2 is visible"},
    {"bad_box", error, "boxes that are not [x, y, width, height] of finite size",
     "correct the box, or leave it out: then it is that of the points"},
    {"bad_names", error, "keypoint names that are not distinct words", "name every keypoint once"},
    {"bad_swap", error, "a table of mirrored points that does not lead back",
     "write for every point the index of the one in its place in a mirror image: if 1 has 2, "
     "2 has 1; a point of the middle has itself"},
    {"two_skeletons", error, "categories with different keypoints in one file",
     "write one file for each list of keypoints"},
    {"keypoints_txt", error, "a keypoints.txt that does not fit the annotations",
     "one line for each keypoint: index, name, index in a mirror image"},
    {"image_size", error, "images of another size than annotated",
     "annotate the files as they are, or scale the annotations with them"},
    {"mostly_outside", error, "most labels lie outside of their images",
     "check the order x, y and whether coordinates are pixels of these files"},
    {"no_labels", error, "not one labelled keypoint",
     "label points, with v = 2 (visible) or 1 (hidden)"},
    {"no_images", error, "not one of the images can be read",
     "put the images beside the file, or into the folders named here"},
    {"image_missing", warning, "images that are not there",
     "add the files; until then they are left out"},
    {"image_unreadable", warning, "images that cannot be read",
     "replace the files; until then they are left out"},
    {"image_without_labels", warning, "images without a labelled point",
     "label them; training draws nothing from them"},
    {"no_box", warning, "annotations without a box",
     "nothing, if the box around the labelled points will do: it is taken"},
    {"empty_box", warning, "boxes without area",
     "correct them; until then the box around the labelled points is taken"},
    {"no_area", warning, "annotations without an area",
     "nothing, if 0.53 of the box will do: it is taken (keypoint similarity depends on it)"},
    {"label_outside", warning, "labels outside of their image",
     "look at them; losses and scores use them as they are, heatmaps end at the border"},
    {"never_labelled", warning, "keypoints that are labelled nowhere",
     "label them or remove them; a network cannot learn them"},
    {"never_visible", warning, "keypoints that are visible nowhere, only hidden",
     "check v: 2 is visible, 1 is hidden"},
    {"nested_keypoints", warning, "keypoints as [[x, y, v], ...]",
     "write one flat list x, y, v, x, y, v, ...; these were read, other programs will not"},
    {"label_count", warning, "num_keypoints that is not the number of points with v > 0",
     "nothing: the points are counted"},
    {"other_category", warning, "annotations of categories without keypoints",
     "nothing, if they are other objects: they are left out"},
    {"no_names", warning, "keypoints without names",
     "name them in categories or in keypoints.txt; they are numbered"},
    {"no_swap", warning, "no keypoint has a partner in a mirror image",
     "write flip_indices into the category or a keypoints.txt; until then train without flips if "
     "there is a left and a right"},
    {"names_not_swapped", warning, "left and right by name that a mirror image does not swap",
     "correct the table or the names: a wrong pair spoils flips in training and in prediction"},
    {"mirrored_elsewhere", warning, "points whose mirror image lies on another than their partner",
     "look at the pairs: the mean shape of the labels, mirrored, puts them elsewhere"},
    {"bones", warning, "bones between keypoints that do not exist",
     "count from 1 in skeleton; until then no bones are drawn"},
}};

std::string plural(size_t n) { return n == 1 ? "1 place" : text(n, " places"); }

}  // namespace

const ProblemFacts& facts(Problem p) { return table[size_t(p)]; }

void Problems::add(const Problems& other) {
  for (const auto& [kind, places] : other.places_)
    places_[kind].insert(places_[kind].end(), places.begin(), places.end());
}

int64_t Problems::count(bool errors) const {
  int64_t n = 0;
  for (const auto& [kind, places] : places_)
    if (facts(kind).error == errors) n += int64_t(places.size());
  return n;
}

std::string Problems::summary(bool errors, size_t places_of_each) const {
  std::string out;
  for (const auto& [kind, places] : places_) {
    const ProblemFacts& f = facts(kind);
    if (f.error != errors) continue;
    out += text("\n  ", f.name, ": ", f.what, " (", plural(places.size()), ")");
    for (size_t i = 0; i < std::min(places_of_each, places.size()); ++i)
      out += "\n    " + places[i];
    if (places.size() > places_of_each)
      out += text("\n    and ", places.size() - places_of_each, " more");
    out += text("\n    to do: ", f.remedy);
  }
  return out;
}

void require_no_errors(const std::string& source, const Problems& problems) {
  if (!problems.has_errors()) return;
  throw Error(source,
              text("errors in ", problems.count(true), " places:", problems.summary(true, 10)),
              "annotations without errors; warnings may stay",
              text("see all of them with cairn check ", source, ", and correct the file"));
}

}  // namespace cairn
