#include "training/noise_batch.h"

#include "runtime/random.h"

namespace cairn {

Batch noise_batch(const Model& model, int64_t batch, int64_t height, int64_t width, uint64_t seed) {
  Batch made;
  Random random(seed);
  for (const auto& [name, spec] : model.loss_inputs(batch, height, width)) {
    Tensor t = Tensor::empty(spec.shape);
    for (int64_t i = 0; i < t.count(); ++i)
      t.data<float>()[i] = spec.row.empty() ? float(random.uniform() * spec.limit)
                                            : float(spec.row[size_t(i) % spec.row.size()]);
    made[name] = t.to(spec.dtype);
  }
  return made;
}

}  // namespace cairn
