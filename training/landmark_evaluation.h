#pragma once
// How good discovered landmarks are: what they know of annotated points (training/
// landmark_regression.h), and how far apart they keep.
#include "models/landmark_autoencoder.h"
#include "training/keypoint_batches.h"
#include "training/landmark_regression.h"

namespace cairn {

/// The landmarks that the model finds in the first so many examples, seen by its crop rule, and the
/// first `points` points (0: all) that are annotated there, in image sides. Throws an Error on
/// examples without annotated points.
LandmarkSplit discovered_landmarks(Model& model, Device device, const KeypointExamples& examples,
                                   int64_t images, int points = 0);

/// The mean over images of the distance of the two landmarks nearest to each other, in image sides;
/// of [N,K,2]. Near 0, landmarks have collapsed. NaN for K = 1.
double least_distance(const Tensor& landmarks);

/// The landmarks, counted from 0, whose maps claim on average less than a thousandth of an even
/// share of the pixels of f32 [N,H,W,C]: their points are noise.
std::vector<int> dead_landmarks(LandmarkAutoencoder& model, const Tensor& images, Device device);

/// How far landmarks move when appearance changes: each image of f32 [N,H,W,C] is decoded with the
/// descriptors of the next one, and its landmarks are found again; the mean distance, in image
/// sides.
double exchange_error(LandmarkAutoencoder& model, const Tensor& images, Device device);

}  // namespace cairn
