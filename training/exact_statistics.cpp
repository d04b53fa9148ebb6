#include "training/exact_statistics.h"

namespace cairn {
namespace {

class FindNorms : public Visitor {
 public:
  explicit FindNorms(Module& m) { m.visit(*this); }
  void parameter(const std::string&, Parameter&) override {}
  void buffer(const std::string&, Tensor&) override {}
  void enter(const std::string&, Module& m) override {
    if (auto* norm = dynamic_cast<BatchNorm2d*>(&m)) found.push_back(norm);
  }
  std::vector<BatchNorm2d*> found;
};

// Sums over batches, per channel.
struct Sums {
  std::vector<double> mean, mean_squared, var;
};

void zero(Tensor& t) { t.copy_from(Tensor::zeros(t.shape(), t.dtype(), t.device())); }

// Started from 0, the running statistics after one step are momentum times those of its batch.
void add_batch(Sums& sums, const BatchNorm2d& norm) {
  const std::vector<float> mean = norm.running_mean.values<float>(),
                           var = norm.running_var.values<float>();
  sums.mean.resize(mean.size());
  sums.mean_squared.resize(mean.size());
  sums.var.resize(mean.size());
  for (size_t c = 0; c < mean.size(); ++c) {
    const double m = mean[c] / norm.options.momentum;
    sums.mean[c] += m;
    sums.mean_squared[c] += m * m;
    sums.var[c] += var[c] / norm.options.momentum;
  }
}

void set_statistics(BatchNorm2d& norm, const Sums& sums, int batches) {
  Tensor mean = Tensor::empty(norm.running_mean.shape()), var = mean.empty_like();
  for (int64_t c = 0; c < mean.count(); ++c) {
    const double m = sums.mean[size_t(c)] / batches;
    mean.data<float>()[c] = float(m);
    var.data<float>()[c] =
        float((sums.var[size_t(c)] + sums.mean_squared[size_t(c)]) / batches - m * m);
  }
  norm.running_mean.copy_from(mean);
  norm.running_var.copy_from(var);
}

}  // namespace

ExactStatistics::ExactStatistics(Model& model, BatchSource& source, int batches, Device device) {
  for (BatchNorm2d* norm : FindNorms(model).found)
    if (norm->options.momentum > 0)  // else its statistics are not learned
      norms_.push_back({norm, norm->running_mean.clone(), norm->running_var.clone()});
  if (norms_.empty()) return;
  std::vector<Sums> sums(norms_.size());
  for (int i = 0; i < batches; ++i) {
    Batch batch = source.next();
    for (auto& [name, tensor] : batch) tensor = tensor.to(device);
    for (Norm& n : norms_) {
      zero(n.module->running_mean);
      zero(n.module->running_var);
    }
    Tape tape(/*recording=*/false);
    tape.training = true;
    model.loss(tape, source.prepared(batch));
    for (size_t k = 0; k < norms_.size(); ++k) add_batch(sums[k], *norms_[k].module);
  }
  for (size_t k = 0; k < norms_.size(); ++k) set_statistics(*norms_[k].module, sums[k], batches);
}

ExactStatistics::~ExactStatistics() {
  for (Norm& n : norms_) {
    n.module->running_mean.copy_from(n.running_mean);
    n.module->running_var.copy_from(n.running_var);
  }
}

}  // namespace cairn
