#include "tools/kernel_benchmarks.h"

#include "kernels/conv/conv2d.h"
#include "kernels/descriptor/l2_normalize.h"
#include "kernels/descriptor/nearest_descriptors.h"
#include "kernels/descriptor/sample_descriptors.h"
#include "kernels/elementwise/bias_activation.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm/grouped_linear.h"
#include "kernels/heatmap/detector_heatmap.h"
#include "kernels/heatmap/field_moments.h"
#include "kernels/heatmap/gaussian.h"
#include "kernels/heatmap/gaussian_unpool.h"
#include "kernels/heatmap/landmark_maps.h"
#include "kernels/heatmap/mask_pool.h"
#include "kernels/heatmap/soft_argmax.h"
#include "kernels/heatmap/spatial_softmax.h"
#include "kernels/loss/descriptor_double_norm.h"
#include "kernels/loss/descriptor_draw.h"
#include "kernels/loss/descriptor_hinge.h"
#include "kernels/loss/descriptor_sparse.h"
#include "kernels/loss/diversity.h"
#include "kernels/loss/softmax_cross_entropy.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/optimizer/adam.h"
#include "kernels/points/nms_greedy.h"
#include "kernels/pool/max_pool.h"
#include "kernels/pool/upsample_nearest.h"
#include "kernels/pool/window_mean.h"
#include "kernels/warp/warp_image.h"
#include "kernels/warp/warped_centres.h"
#include "runtime/error.h"
#include "runtime/random.h"

namespace cairn {
namespace {

// simt is for correctness: its tables use images an eighth as wide and high.
struct Maker {
  Device device;
  std::vector<KernelBenchmark> list;

  int64_t side(int64_t n) const { return device == Device::simt ? std::max<int64_t>(n / 8, 1) : n; }
  Tensor random(const Shape& shape, double low = -1, double high = 1) const {
    Tensor t = Tensor::empty(shape);
    Random r(3);
    for (int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = float(r.uniform(low, high));
    return t.to(device);
  }
  Tensor empty(const Shape& shape, DType type = DType::f32) const {
    return Tensor::empty(shape, type, device);
  }
  void add(const std::string& name, const Shape& shape, double bytes, double flops,
           std::function<void()> run) {
    list.push_back({name, text(shape), bytes, flops, std::move(run)});
  }
};

void convolutions(Maker& m) {
  struct Layer {
    int64_t h, w, in, out;
    int kernel;
  };
  for (const Layer l : {Layer{480, 640, 1, 64, 3},
                        {480, 640, 64, 64, 3},
                        {120, 160, 128, 128, 3},
                        {60, 80, 128, 256, 3},
                        {60, 80, 256, 65, 1},
                        {64, 64, 256, 128, 1}}) {
    const Conv2dOptions options{.stride = 1, .padding = l.kernel / 2, .dilation = 1, .groups = 1};
    const Shape xs{1, m.side(l.h), m.side(l.w), l.in}, ys{1, m.side(l.h), m.side(l.w), l.out};
    const Tensor x = m.random(xs), w = m.random({l.out, l.kernel, l.kernel, l.in}),
                 b = m.random({l.out}), dy = m.random(ys);
    Tensor y = m.empty(ys), dx = m.empty(xs), dw = w.empty_like(), db = b.empty_like();
    const double bytes = double(x.bytes() + y.bytes() + w.bytes());
    const double flops = 2.0 * double(xs[1] * xs[2]) * double(w.count());
    const std::string name = text("conv2d ", l.kernel, "x", l.kernel, " ", l.in, "-", l.out);
    m.add(name, xs, bytes, flops,
          [=]() mutable { conv2d(x, w, options, {.bias = &b, .act = Activation::relu}, y); });
    if (l.in == 1) continue;
    m.add(name + " dx", xs, bytes, flops,
          [=]() mutable { conv2d_backward_data(dy, w, options, dx); });
    m.add(name + " dw", xs, bytes, flops,
          [=]() mutable { conv2d_backward_weights(x, dy, options, dw, &db); });
  }
}

void products(Maker& m) {
  const int64_t n = m.side(1024);
  const Tensor a = m.random({n, n}), b = m.random({n, n});
  Tensor c = m.empty({n, n});
  m.add("gemm", {n, n, n}, 12.0 * double(n * n), 2.0 * double(n * n * n),
        [=]() mutable { gemm(a, false, b, false, c); });
}

void training_passes(Maker& m) {
  const Shape s{8, m.side(120), m.side(160), 64}, half{8, s[1] / 2, s[2] / 2, 64}, v{64};
  const Tensor x = m.random(s), dy = m.random(s), gamma = m.random(v), beta = m.random(v);
  Tensor y = m.empty(s), dx = m.empty(s), rm = m.random(v), rv = m.random(v, 1, 2),
         mean = m.empty(v), invstd = m.empty(v), dgamma = m.empty(v), dbeta = m.empty(v),
         pooled = m.empty(half), index = m.empty(half, DType::u8);
  const double bytes = double(x.bytes()), count = double(x.count());
  m.add("batch_norm training", s, 3 * bytes, 8 * count,
        [=]() mutable { batch_norm_training(x, gamma, beta, {}, rm, rv, mean, invstd, y); });
  batch_norm_training(x, gamma, beta, {}, rm, rv, mean, invstd, y);
  m.add("batch_norm backward", s, 5 * bytes, 9 * count, [=]() mutable {
    batch_norm_backward(x, dy, gamma, beta, mean, invstd, Activation::none, 0, Statistics::batch,
                        &dx, dgamma, dbeta);
  });
  m.add("bias_activation relu", s, 2 * bytes, count,
        [=]() mutable { bias_activation(x, nullptr, Activation::relu, 0, y); });
  m.add("bias_activation backward", s, 3 * bytes, count,
        [=]() mutable { bias_activation_backward(y, dy, Activation::relu, 0, &dx, nullptr); });
  m.add("max_pool 2x2", s, 1.3125 * bytes, count,
        [=]() mutable { max_pool(x, {}, pooled, &index); });
  m.add("upsample_nearest 2x", half, 1.25 * bytes, 0,
        [=]() mutable { upsample_nearest(pooled, 2, y); });

  const Shape cells{8, s[1] / 8, s[2] / 8}, logit_shape{8, s[1] / 8, s[2] / 8, 65};
  const Tensor logits = m.random(logit_shape, -4, 4),
               labels = m.random(cells, 0, 65).to(DType::i32);
  Tensor log_sum = m.empty({8, cells[1], cells[2], 2}), total = m.empty({}), loss = m.empty({});
  m.add("softmax_cross_entropy", logit_shape, double(logits.bytes()), 4 * double(logits.count()),
        [=]() mutable { softmax_cross_entropy(logits, labels, nullptr, log_sum, total, loss); });
  const int64_t n = 1'300'864 / (m.device == Device::simt ? 64 : 1);
  const Tensor grads = m.random({n}), scales = m.random({n / 64, 2}, 1, 1),
               clip = m.random({1}, 1, 1);
  Tensor values = m.random({n}), first = m.random({n}, 0, 0), second = first.clone(),
         steps = Tensor::zeros({n / 64}, DType::i32, m.device);
  m.add("adam", {n}, 28.0 * double(n), 15.0 * double(n),
        [=]() mutable { adam(grads, scales, clip, {}, values, first, second, steps); });
}

void heatmaps(Maker& m) {
  const Shape s{16, m.side(64), m.side(64), 16}, points{16, 16, 2}, maps{16, 16};
  const Tensor z = m.random(s, -3, 3);
  const double bytes = double(z.bytes()), count = double(z.count());
  Tensor h = m.empty(s), point = m.empty(points), variance = m.empty(points),
         stats = m.empty(points);
  m.add("spatial_softmax", s, 2 * bytes, 4 * count, [=]() mutable { spatial_softmax(z, 1, h); });
  m.add("soft_argmax", s, bytes, 10 * count,
        [=]() mutable { soft_argmax(z, 1, point, variance, stats); });
  const Tensor centre = m.random(points, 0.2, 0.8), sigma = m.random(maps, 0.05, 0.1),
               one = m.random(maps, 1, 1);
  m.add("gaussian", s, bytes, count,
        [=]() mutable { gaussian(centre, sigma, one, GaussianForm::plain, h); });
}

// Ten landmarks and the background of 16 padded faces (Zhang et al. 2018).
void landmark_detector(Maker& m) {
  const Shape s{16, m.side(96), m.side(96), 11}, points{16, 10, 2};
  const Tensor z = m.random(s, -3, 3), dmaps = m.random(s), dpoint = m.random(points),
               dvariance = m.random(points);
  Tensor maps = m.empty(s), dz = m.empty(s), point = m.empty(points), variance = m.empty(points),
         zeta = m.empty({16, 10});
  const double bytes = double(z.bytes()), count = double(z.count());
  m.add("landmark_maps", s, 2 * bytes, 25 * count,
        [=]() mutable { landmark_maps(z, maps, point, variance, zeta); });
  landmark_maps(z, maps, point, variance, zeta);
  m.add("landmark_maps backward", s, 3 * bytes, 20 * count, [=]() mutable {
    landmark_maps_backward(maps, point, variance, zeta, dmaps, dpoint, dvariance, dz);
  });
}

// The code of a landmark autoencoder: 10 landmarks and the background, descriptors of 64 channels
// and 8, maps of 80x80 with five widths.
void landmark_code(Maker& m) {
  const int64_t N = 16, K = 10, S = 64, C = 8, side = m.side(80);
  const std::vector<GaussianWidth> widths{{0.125}, {0.177}, {0.25}, {0.354}, {0.5}};
  const Shape features_shape{N, side, side, S}, code_shape{N, K + 1, S};
  const Tensor mask = m.random({N, side, side, K + 1}, 0, 1), features = m.random(features_shape),
               dpooled = m.random(code_shape);
  Tensor pooled = m.empty(code_shape), mass = m.empty({N, K + 1}), dmask = mask.empty_like(),
         dfeatures = features.empty_like();
  const double pixels = double(N * side * side), maps = double(K + 1);
  const double pool_bytes = double(mask.bytes() + features.bytes());
  const double pool_flops = 2 * double(features.count()) * maps;
  m.add("mask_pool", features_shape, pool_bytes, pool_flops,
        [=]() mutable { mask_pool(mask, features, pooled, mass); });
  mask_pool(mask, features, pooled, mass);
  m.add("mask_pool backward", features_shape, 2 * pool_bytes, 2 * pool_flops, [=]() mutable {
    mask_pool_backward(mask, features, pooled, mass, dpooled, &dmask, &dfeatures);
  });

  const Tensor weight = m.random({K + 1, C, S}), bias = m.random({C});
  Tensor code = m.empty({N, K + 1, C});
  m.add("grouped_linear", code_shape, double(pooled.bytes() + weight.bytes() + code.bytes()),
        2 * double(N) * double(weight.count()),
        [=]() mutable { grouped_linear(pooled, weight, &bias, code); });

  const Tensor centre = m.random({N, K, 2}, 0, 1), values = m.random(code_shape);
  const Shape shape{N, side, side, int64_t(widths.size()) * (K + 1 + S)};
  const Tensor dy = m.random(shape);
  Tensor y = m.empty(shape), dcentre = centre.empty_like(), dvalues = values.empty_like();
  const double rows = pixels * double(widths.size()), flops = 2 * rows * maps * double(S);
  m.add("gaussian_unpool", shape, double(y.bytes()), flops,
        [=]() mutable { gaussian_unpool(centre, values, widths, y); });
  m.add("gaussian_unpool backward", shape, double(dy.bytes()), 2 * flops, [=]() mutable {
    gaussian_unpool_backward(centre, values, widths, dy, &dcentre, &dvalues);
  });
}

// The maps of 50 landmarks in 16 pairs of faces (Thewlis et al. 2017).
void landmark_pairs(Maker& m) {
  const Shape s{32, m.side(40), m.side(40), 50};
  const Tensor p = m.random(s, 0, 1), field = m.random({s[0], s[1], s[2], 2}, 0, 1),
               dmean = m.random({32, 50, 2}), dvariance = m.random({32, 50}), one = m.random({1});
  Tensor mean = dmean.empty_like(), variance = dvariance.empty_like(), dp = p.empty_like(),
         windows = m.empty({s[0], s[1] - 3, s[2] - 3, s[3]}), loss = one.empty_like();
  const double bytes = double(p.bytes()), count = double(p.count());
  m.add("field_moments", s, bytes, 10 * count,
        [=]() mutable { field_moments(p, field, mean, variance); });
  m.add("field_moments backward", s, bytes, 9 * count,
        [=]() mutable { field_moments_backward(field, mean, dmean, dvariance, dp); });
  m.add("window_mean 4x4", s, 2 * bytes, 16 * count, [=]() mutable { window_mean(p, 4, windows); });
  m.add("diversity", s, bytes, count, [=]() mutable { diversity(p, DiversityForm::linear, loss); });
  m.add("diversity backward", s, 2 * bytes, count,
        [=]() mutable { diversity_backward(p, DiversityForm::linear, one, dp); });
}

void detection(Maker& m) {
  const int64_t h = m.side(480), w = m.side(640);
  const Tensor logits = m.random({1, h / 8, w / 8, 65}, -4, 4);
  Tensor heat = m.empty({1, h, w}), kept = heat.empty_like();
  m.add("detector_heatmap", {1, h, w}, 2 * double(heat.bytes()), 3 * double(logits.count()),
        [=]() mutable { detector_heatmap(logits, heat); });
  detector_heatmap(logits, heat);
  m.add("nms_greedy radius 4", {1, h, w}, 2 * double(heat.bytes()), 0,
        [=]() mutable { nms_greedy(heat, 4, 0.015, kept); });
  const Tensor d = m.random({1, h / 8, w / 8, 256});
  Tensor unit = d.empty_like();
  m.add("l2_normalize", d.shape(), 2 * double(d.bytes()), 3 * double(d.count()),
        [=]() mutable { l2_normalize(d, 1e-12, unit); });
  const int64_t n = m.side(1000);
  const Tensor points = m.random({1, n, 2}, 0, double(h)), a = m.random({n, 256}),
               b = m.random({n, 256});
  Tensor sampled = m.empty({1, n, 256});
  m.add("sample_descriptors", sampled.shape(), 5 * double(sampled.bytes()),
        24 * double(sampled.count()), [=]() mutable {
          sample_descriptors(d, points, {0.125, 0.125, -0.44, -0.44}, sampled);
        });
  NearestDescriptors of_a{m.empty({n}, DType::i32), m.empty({n, 2})},
      of_b{m.empty({n}, DType::i32), m.empty({n, 2})};
  m.add("nearest_descriptors", {n, n, 256}, 2 * double(a.bytes()), 2 * double(n * n * 256),
        [=]() mutable { nearest_descriptors(a, b, of_a, of_b); });
  const Tensor image = m.random({1, h, w, 1}),
               matrix = Tensor::from<float>({1, 3, 3}, {0.9f, 0.1f, 5, -0.1f, 0.9f, 8, 1e-5f, 0, 1},
                                            m.device);
  Tensor warped = image.empty_like();
  m.add("warp_image", image.shape(), 2 * double(image.bytes()), 30 * double(image.count()),
        [=]() mutable { warp_image(image, matrix, {}, warped, nullptr); });
}

// The descriptor losses of two pairs at 240x320. On a CPU a backward has three products of n^2 C,
// on a GPU four.
void descriptor_losses(Maker& m) {
  const int64_t h = m.side(240) / 8, w = m.side(320) / 8, C = 256;
  const Shape maps{2, h, w, C}, cells{2, h, w};
  Tensor a = m.empty(maps), b = m.empty(maps), centres = m.empty({2, h, w, 2});
  l2_normalize(m.random(maps), 1e-12, a);
  l2_normalize(m.random(maps), 1e-12, b);
  const Tensor valid = Tensor::full(cells, 1, DType::u8, m.device),
               homographies = Tensor::from<float>(
                   {2, 9}, {1, 0, 3.25, 0, 1, -2.5, 0, 0, 1, 1, 0, 9.25, 0, 1, 4.5, 0, 0, 1},
                   m.device);
  warped_centres(homographies, 8, centres);
  const DescriptorPairs pairs{a, b, centres, valid};
  const double product = 2.0 * 2 * double(h * w) * double(h * w) * double(C),
               bytes = 2 * double(a.bytes());
  DoubleNorms norms{m.empty({1}), m.empty(cells), m.empty(cells), m.empty(cells)};
  Tensor terms = m.empty({4}), loss = m.empty({}), da = m.empty(maps), db = m.empty(maps);
  const Tensor one = m.random({1}, 1, 1);
  const bool cpu = m.device == Device::cpu;
  m.add("double_norm", maps, bytes, (cpu ? 2 : 3) * product,
        [=]() mutable { descriptor_double_norm(pairs, {}, norms, terms, loss); });
  descriptor_double_norm(pairs, {}, norms, terms, loss);
  m.add("double_norm backward", maps, 2 * bytes, (cpu ? 3 : 5) * product,
        [=]() mutable { descriptor_double_norm_backward(pairs, {}, norms, one, da, db); });
  m.add("hinge", maps, bytes, product,
        [=]() mutable { descriptor_hinge(pairs, {}, norms.factor, terms, loss); });
  m.add("hinge backward", maps, 2 * bytes, (cpu ? 3 : 4) * product,
        [=]() mutable { descriptor_hinge_backward(pairs, {}, norms.factor, one, da, db); });

  const int64_t negatives = 100;
  Tensor matches = m.empty(cells, DType::i32), offsets = m.empty({2, negatives}, DType::i32),
         active = m.empty({2, h * w, negatives + 1}, DType::u8), counts = m.empty({2, 2});
  descriptor_draw(homographies, centres, valid, 1000, matches, offsets);
  const SparsePairs sparse{a, b, valid, matches, offsets};
  const double hinges = 2.0 * std::min<double>(1000, double(h * w)) * double(negatives + 1);
  m.add("sparse", maps, hinges * 4 * double(C), hinges * 2 * double(C),
        [=]() mutable { descriptor_sparse(sparse, {}, active, counts, terms, loss); });
  descriptor_sparse(sparse, {}, active, counts, terms, loss);
  m.add("sparse backward", maps, 4 * bytes, 0,
        [=]() mutable { descriptor_sparse_backward(sparse, {}, active, counts, one, da, db); });
}

}  // namespace

std::vector<KernelBenchmark> kernel_benchmarks(Device device) {
  Maker m{device, {}};
  convolutions(m);
  products(m);
  training_passes(m);
  heatmaps(m);
  landmark_detector(m);
  landmark_code(m);
  landmark_pairs(m);
  detection(m);
  descriptor_losses(m);
  return std::move(m.list);
}

}  // namespace cairn
