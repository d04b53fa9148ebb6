#pragma once
// What a landmark autoencoder makes of images, for reports and strips.
#include "models/keypoints.h"
#include "models/landmark_autoencoder.h"

namespace cairn {

/// Maps [H,W,K+1] (f32, on cpu; the background last) as one picture u8 [H,W,3]: the colours of the
/// landmarks mixed by how much each claims a pixel, on black.
Tensor coloured_maps(const Tensor& maps);

/// u8 [H,W,C], enlarged `scale` times, with a rimmed dot for each landmark, in the colours of maps.
Tensor with_landmarks(const Tensor& picture, const Keypoints& found, int scale);

/// For each image of f32 [N,H,W,C], two in a row: the image, its landmarks, the detector's maps,
/// and what the decoder makes of them.
Tensor autoencoder_sheet(LandmarkAutoencoder& model, const Tensor& images, Device device);

/// What a decoder was asked for, and what the detector sees of it.
struct LandmarkStrip {
  Tensor picture;          ///< a row of pictures, u8
  Keypoints asked, found;  ///< in pixels of the network's input
};

/// The image [1,H,W,C], what is decoded of it as it is, and of its landmarks moved ever farther, at
/// last by `displacement` [1,K,2], in image sides.
LandmarkStrip moved_strip(LandmarkAutoencoder& model, const Tensor& image,
                          const Tensor& displacement, int steps);

/// Two images [1,H,W,C], what is decoded of the first, and of its landmarks with the descriptors of
/// the second.
LandmarkStrip exchanged_strip(LandmarkAutoencoder& model, const Tensor& image, const Tensor& other);

/// The images of f32 [N,H,W,C] with what a network of landmarks finds in them.
Tensor landmark_sheet(Model& model, const Tensor& images, Device device);

}  // namespace cairn
