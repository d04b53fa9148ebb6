#pragma once
// Image sequences with known homographies, as they are distributed: HPatches (1.ppm .. 6.ppm,
// H_1_2 .. H_1_6; Balntas et al., CVPR 2017) and the Oxford affine covariant regions
// (img1.png .. img6.png, H1to2p .. H1to6p; Mikolajczyk et al., IJCV 2005).
#include <string>
#include <vector>

#include "geometry/homography.h"

namespace cairn {

struct HomographySequence {
  struct View {
    int number;  ///< k of img k
    std::string image;
    Matrix3 from_first;  ///< pixels of the first image to pixels of this one
  };
  std::string name;   ///< the folder's
  std::string first;  ///< path of image 1
  std::vector<View> others;
};

/// Each folder is one sequence, or a folder of sequences; sorted by name within a folder. Numbers
/// may be missing (1, 2, 4, 6). Throws an Error that lists everything wrong with a sequence at
/// once: an image that is missing, that is no image, or has no homography; an Error where no
/// sequence is found.
std::vector<HomographySequence> homography_sequences(const std::vector<std::string>& folders);

/// Three lines of three numbers, scaled to h33 = 1. Throws an Error that names the file and the
/// line for another number of lines or numbers, for what is no finite number, and for a matrix that
/// is singular or has h33 = 0.
Matrix3 read_homography(const std::string& path);

}  // namespace cairn
