#include "tests/conformance/conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "runtime/autotuner.h"
#include "runtime/error.h"
#include "runtime/memory.h"
#include "runtime/random.h"
#ifdef CAIRN_HAS_SIMT
#include "kernels/simt/simt.h"
#endif

namespace cairn::conformance {
namespace {

std::vector<Row>& table() {
  static std::vector<Row> rows;
  return rows;
}

bool is_real(const Tensor& t) {
  return t.dtype() == DType::f64 || t.dtype() == DType::f32 || t.dtype() == DType::bf16;
}

Tensors converted(const Tensors& ts, Device device, DType real) {
  Tensors out;
  for (const Tensor& t : ts) {
    if (!t.defined())
      out.push_back(t);
    else
      out.push_back((is_real(t) ? t.to(real) : t).to(device));
  }
  return out;
}

std::string position(const Shape& shape, int64_t flat) {
  std::vector<int64_t> at(shape.rank());
  for (int i = shape.rank() - 1; i >= 0; --i) {
    at[i] = flat % shape[i];
    flat /= shape[i];
  }
  return text(Shape(at));
}

// Empty when every element agrees within tolerance * largest magnitude; NaN counts as different
// unless both are NaN.
std::string difference(const Tensor& got_any, const Tensor& want_any, double tolerance) {
  if (got_any.shape() != want_any.shape())
    return text("shape ", got_any.shape(), ", want ", want_any.shape());
  const auto got = got_any.to(DType::f64).to(Device::cpu).values<double>();
  const auto want = want_any.to(DType::f64).to(Device::cpu).values<double>();
  double largest = 0;
  for (double w : want)
    if (std::isfinite(w)) largest = std::max(largest, std::abs(w));
  const double allowed = is_real(want_any) ? tolerance * largest : 0;
  int64_t bad = 0, worst = -1;
  double worst_error = -1;
  for (size_t i = 0; i < want.size(); ++i) {
    if (got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i]))) continue;
    const double error = std::abs(got[i] - want[i]);
    if (error <= allowed) continue;
    ++bad;
    if (!(error <= worst_error)) {
      worst_error = error;
      worst = int64_t(i);
    }
  }
  if (bad == 0) return "";
  return text(bad, " of ", want.size(), " differ; worst at ", position(want_any.shape(), worst),
              ": got ", got[worst], ", want ", want[worst], " (allowed ", allowed, ")");
}

bool same_bits(const Tensors& a, const Tensors& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].defined()) continue;
    const Tensor x = a[i].to(Device::cpu), y = b[i].to(Device::cpu);
    if (x.bytes() != y.bytes() || std::memcmp(x.raw(), y.raw(), x.bytes()) != 0) return false;
  }
  return true;
}

double dot(const Tensor& a, const Tensor& b) {
  const auto x = a.values<double>(), y = b.values<double>();
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

Tensors random_like(const Tensors& ts, uint64_t seed) {
  Tensors out;
  for (size_t i = 0; i < ts.size(); ++i)
    out.push_back(is_real(ts[i]) ? normal(ts[i].shape(), seed + i) : Tensor());
  return out;
}

// The backward against the slope of sum(dout * formula) along random directions of each input.
void check_slopes(const Case& c, const Tensors& dout, const Tensors& gradients) {
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined() || c.inputs[i].count() == 0) continue;
    for (uint64_t draw = 0; draw < 3; ++draw) {
      const Tensor v = normal(c.inputs[i].shape(), 7000 + 10 * i + draw);
      const auto value = [&](double h) {
        Tensors moved = c.inputs;
        moved[i] = c.inputs[i].clone();
        for (int64_t k = 0; k < v.count(); ++k)
          moved[i].data<double>()[k] += h * v.data<double>()[k];
        const Tensors out = c.formula(moved);
        double sum = 0;
        for (size_t o = 0; o < out.size(); ++o)
          if (dout[o].defined()) sum += dot(dout[o], out[o]);
        return sum;
      };
      const double h = 1e-6;
      const double slope = (value(h) - value(-h)) / (2 * h), ours = dot(gradients[i], v);
      const double scale = std::max({1.0, std::abs(slope), std::abs(ours)});
      EXPECT_LE(std::abs(slope - ours) / scale, 2e-6)
          << c.label << ": gradient of input " << i << " is " << ours << " along direction " << draw
          << ", central differences give " << slope;
    }
  }
}

struct Run {
  Tensors out, gradients;
};

Run run(const Case& c, const Tensors& inputs, const Tensors& dout, bool with_backward) {
  Run r;
  r.out = c.forward(inputs);
  if (with_backward) r.gradients = c.backward(inputs, r.out, dout);
  return r;
}

// The allowance for an output: `rounded` for one in bf16.
double allowance(const Tensor& t, double rounded, double exact) {
  return t.dtype() == DType::bf16 ? rounded : exact;
}

void check(const Case& c, Device device, DType real, double tolerance, double gradient_tolerance) {
  SCOPED_TRACE(text(c.label, " on ", device, " in ", real));
  Case rounded = c;
  if (real == DType::bf16)
    for (Tensor& t : rounded.inputs)
      if (is_real(t)) t = t.to(DType::bf16).to(DType::f64);
  const Tensors want = rounded.formula(rounded.inputs);
  Tensors dout64 = random_like(want, 5000);
  for (Tensor& t : dout64)
    if (t.defined() && real == DType::bf16) t = t.to(DType::bf16).to(DType::f64);

  const Tensors inputs = converted(rounded.inputs, device, real);
  const Tensors dout = converted(dout64, device, real);
  const bool with_backward = c.backward && !(real == DType::bf16 && device == Device::cpu);
  const Run first = run(c, inputs, dout, with_backward);
  if (!c.large) {
    const Run second = run(c, inputs, dout, with_backward);
    EXPECT_TRUE(same_bits(first.out, second.out)) << "two forward runs differ";
    EXPECT_TRUE(same_bits(first.gradients, second.gradients)) << "two backward runs differ";
  }

  ASSERT_EQ(first.out.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_EQ(
        difference(first.out[i], want[i], allowance(first.out[i], c.bf16_tolerance, tolerance)), "")
        << "output " << i;
  if (!with_backward) return;

  if (real == DType::f64 && device == Device::cpu) {
    if (c.differences) check_slopes(c, dout64, first.gradients);
    return;
  }
  const Run truth = run(c, converted(rounded.inputs, Device::cpu, DType::f64), dout64, true);
  for (size_t i = 0; i < first.gradients.size(); ++i)
    if (first.gradients[i].defined())
      EXPECT_EQ(difference(first.gradients[i], truth.gradients[i],
                           allowance(first.gradients[i], c.bf16_tolerance, gradient_tolerance)),
                "")
          << "gradient of input " << i;
}

void check_types(const Case& c, Float64 float64, Device device) {
  if (!c.large && (device == Device::cpu || float64 == Float64::everywhere))
    check(c, device, DType::f64, 1e-11, 1e-11);
  check(c, device, DType::f32, c.tolerance, c.gradient_tolerance);
  if (c.bf16_tolerance > 0 && (device != Device::cpu || c.bf16_on_cpu))
    check(c, device, DType::bf16, c.tolerance, c.gradient_tolerance);
}

void check_case(const Case& c, Float64 float64, Device device) {
  memory(device).poison(true);
  memory(Device::cpu).poison(true);
#ifdef CAIRN_HAS_SIMT
  if (device == Device::simt && !c.large)
    for (simt::Order order : {simt::Order::descending, simt::Order::random}) {
      simt::set_order(order, 17);
      check_types(c, float64, device);
    }
  simt::set_order(simt::Order::ascending, 0);
#endif
  check_types(c, float64, device);
  memory(device).poison(false);
  memory(Device::cpu).poison(false);
}

class RowTest : public ::testing::Test {
 public:
  RowTest(size_t row, Device device, std::string algorithm)
      : row_(row), device_(device), algorithm_(std::move(algorithm)) {}
  void SetUp() override {
    if (device_ == Device::cpu) return;
    autotuner(device_).set_measuring(false);
    const size_t number = algorithm_.find('#');  // "cuDNN#2"
    autotuner(device_).force(algorithm_.substr(0, number),
                             number == std::string::npos ? 0 : algorithm_[number + 1] - '1');
  }
  void TestBody() override {
    const Row& row = table()[row_];
    // In float64 there is nothing to choose.
    const Float64 float64 = algorithm_.empty() ? row.float64 : Float64::on_cpu;
    for (const Case& c : row.cases) check_case(c, float64, device_);
    if (!algorithm_.empty() && autotuner(device_).forced() == 0)
      GTEST_SKIP() << "no case was offered " << algorithm_;
  }

 private:
  size_t row_;
  Device device_;
  std::string algorithm_;
};

template <class Draw>
Tensor filled(const Shape& shape, uint64_t seed, Draw&& draw) {
  Tensor t = Tensor::empty(shape, DType::f64);
  Random random(seed, 99);
  for (int64_t i = 0; i < t.count(); ++i) t.data<double>()[i] = float(draw(random));
  return t;
}

}  // namespace

bool add_row(Row row) {
  table().push_back(std::move(row));
  return true;
}

Tensor normal(const Shape& shape, uint64_t seed, double scale) {
  return filled(shape, seed, [=](Random& r) { return scale * r.normal(); });
}

Tensor uniform(const Shape& shape, uint64_t seed, double low, double high) {
  return filled(shape, seed, [=](Random& r) { return r.uniform(low, high); });
}

Tensor whole(const Shape& shape, uint64_t seed, int low, int high) {
  return filled(shape, seed, [=](Random& r) { return r.integer(low, high); });
}

Tensor indices(const Shape& shape, uint64_t seed, int low, int high) {
  return whole(shape, seed, low, high).to(DType::i32);
}

Tensor as_parameter(const Tensor& t) { return t.dtype() == DType::bf16 ? t.to(DType::f32) : t; }

Tensor zeros64(const Shape& shape) { return Tensor::zeros(shape, DType::f64); }

}  // namespace cairn::conformance

int main(int argc, char** argv) {
  using namespace cairn;
  using namespace cairn::conformance;
  ::testing::InitGoogleTest(&argc, argv);
  const auto add = [](size_t row, Device d, const std::string& algorithm) {
    std::string suffix = algorithm.empty() ? "" : "/" + algorithm;
    for (const char c : {' ', '#'}) std::replace(suffix.begin(), suffix.end(), c, '_');
    ::testing::RegisterTest("Conformance", text(table()[row].op, "/", d, suffix).c_str(), nullptr,
                            nullptr, __FILE__, __LINE__,
                            [=]() -> ::testing::Test* { return new RowTest(row, d, algorithm); });
  };
  for (size_t i = 0; i < table().size(); ++i)
    for (Device d : available_devices()) {
      add(i, d, "");
      if (d != Device::cpu)
        for (const std::string& algorithm : table()[i].algorithms)
          if (d == Device::cuda || !algorithm.starts_with("cuDNN")) add(i, d, algorithm);
    }
  return RUN_ALL_TESTS();
}
