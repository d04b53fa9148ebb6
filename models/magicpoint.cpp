// MagicPoint: SuperPoint without the descriptor head, by the name its paper gives it.
#include "models/model.h"

namespace cairn {

std::unique_ptr<Model> make_magicpoint(const Options& options) {
  Options detector = options;
  detector["descriptor"] = "false";
  return make_model("superpoint", detector);
}

}  // namespace cairn
