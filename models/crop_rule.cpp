#include "models/crop_rule.h"

#include "models/model.h"
#include "runtime/error.h"

namespace cairn {

CropFrame frame_of(const CropRule& rule, const Tensor& image, const Box& box) {
  return rule.margin > 0 ? frame_of(box, rule.margin, rule.height, rule.width)
                         : frame_of(image, rule.height, rule.width);
}

std::map<std::string, std::string> crop_rule_options(const CropRule& rule) {
  return {{"input_height", std::to_string(rule.height)},
          {"input_width", std::to_string(rule.width)},
          {"margin", text(rule.margin)}};
}

CropRule read_crop_rule(OptionReader& read, const CropRule& fallback) {
  CropRule rule = fallback;
  rule.height = read.integer("input_height", int(rule.height), 1, 8192);
  rule.width = read.integer("input_width", int(rule.width), 1, 8192);
  rule.margin = read.real("margin", rule.margin, 0, 100);
  return rule;
}

}  // namespace cairn
