// nms_maxpool: a fixed number of rounds; launches, traffic and repeats as in nms_rounds.h. A round
// of max pooling is two of those rounds: keep the largest, delete what is around them.
#include "kernels/points/nms_maxpool.h"

#include "kernels/points/nms_rounds.h"

namespace cairn::CAIRN_NS {

void nms_maxpool(const Tensor& heat, int radius, int rounds, double threshold, Tensor& y) {
  NmsRounds nms("nms_maxpool", heat, radius, threshold);
  for (int r = 0; r < 2 * rounds - 1; ++r) nms.round();
  nms.write(y);
}

}  // namespace cairn::CAIRN_NS
