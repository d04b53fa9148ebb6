#pragma once
// What a network of named points sees of an image: how crops are cut, in training and ever after.
// Saved with the weights, since a network that learned from boxes of one kind loses accuracy on
// tighter or looser crops.
#include <map>
#include <string>

#include "models/image_crop.h"

namespace cairn {

struct CropRule {
  int64_t height = 256, width = 256;  ///< of the network's input
  double margin = 1.25;  ///< the crop shows the object's box enlarged so much; 0: the whole image
};

/// What is seen of the object in this box of `image` [H,W,C].
CropFrame frame_of(const CropRule& rule, const Tensor& image, const Box& box);

/// The options that a model carries along: input_height, input_width, margin.
std::map<std::string, std::string> crop_rule_options(const CropRule& rule);

class OptionReader;
CropRule read_crop_rule(OptionReader& read, const CropRule& fallback = {});

}  // namespace cairn
