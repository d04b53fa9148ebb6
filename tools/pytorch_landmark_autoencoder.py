#!/usr/bin/env python3
"""The landmark autoencoder in PyTorch, for comparisons: one network, one loss, the names of models/landmark_autoencoder.

Written from the paper's equations, not from Cairn's code. Images are [N,3,H,W] in [0,1]; a warp is what
training/random_warps.h draws. Recorded steps, in float64, that Cairn can be held against (needs safetensors):

    python3 tools/pytorch_landmark_autoencoder.py recording --padding 0
    cairn replay recording
"""
import argparse
import json
import math
import os

WIDTHS = {  # features, descriptor, padding, sigmas; blocks down, up and across of detector, features, decoder
    "mini": (16, 4, 4, [0.125, 0.25, 0.5],
             [([8, 8], [8, 0], 3), ([16, 16], [16, 8], 3), ([16, 16], [16, 16], 3), ([16, 16], [16, 16], 0)],
             [([8, 16], [16, 16], 2), ([32], [16], 2), ([64], [32], 2), ([64], [64], 0)],
             [([16, 16], [16, 0], 2), ([32], [16], 2), ([64], [32], 2), ([64], [64], 0)]),
    "full": (64, 8, 8, [0.125 * math.sqrt(2) ** i for i in range(5)],
             [([32, 32], [32, 0], 3), ([64, 64], [64, 32], 3), ([64, 64], [64, 64], 3), ([64, 64], [64, 64], 0)],
             [([32, 64], [64, 64], 2), ([128], [64], 2), ([256], [128], 2), ([512], [256], 0)],
             [([64, 64], [32, 0], 2), ([128], [64], 2), ([256], [128], 2), ([512], [256], 2), ([512], [512], 0)]),
}
WEIGHTS = {"separation": 20, "sigma": 0.08, "concentration": 100, "equivariance": 1e4}


def landmark_autoencoder(torch, size="mini", landmarks=10):
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self, inputs, outputs, linear=False):
            super().__init__()
            self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
            self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
            self.linear = linear

        def forward(self, x):
            x = self.bn(self.conv(x))
            return x if self.linear else F.leaky_relu(x, 0.2)

    class Hourglass(nn.Module):
        def __init__(self, inputs, levels, last=0, linear=False):
            super().__init__()
            self.down, self.across, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
            ups = [list(up) for _, up, _ in levels]
            ups[0][-1] = last or ups[0][-1]
            for i, (down, _, across) in enumerate(levels):
                widths = [inputs, *down]
                self.down.append(nn.ModuleList(Block(a, b) for a, b in zip(widths, widths[1:])))
                inputs = down[-1]
                self.across.append(nn.ModuleList(Block(inputs, inputs) for _ in range(across)))
                widths = [ups[i + 1][-1] if i + 1 < len(levels) else inputs, *ups[i]]
                self.up.append(nn.ModuleList(Block(a, b, linear and i == 0 and k + 2 == len(widths))
                                             for k, (a, b) in enumerate(zip(widths, widths[1:]))))

        def forward(self, x, level=0):
            for block in self.down[level]:
                x = block(x)
            if level + 1 < len(self.down):
                low = self.forward(F.max_pool2d(x, 2), level + 1)
                for block in self.across[level]:
                    x = block(x)
                x = x + F.interpolate(low, scale_factor=2, mode="nearest")
            for block in self.up[level]:
                x = block(x)
            return x

    def centres(height, width, like):
        place = {"dtype": like.dtype, "device": like.device}  # made there: a copy would wait for the GPU
        y, x = torch.meshgrid((torch.arange(height, **place) + 0.5) / height, (torch.arange(width, **place) + 0.5) / width,
                              indexing="ij")
        return x, y

    def warp_points(points, control, theta, affine):
        """T(A p), in unit coordinates; T and A in those from -1 to 1."""
        q = (2 * points - 1) @ affine[:, :, :2].transpose(1, 2) + affine[:, None, :, 2]
        n = control.shape[1]
        d2 = (q[:, :, None] - control[:, None]).square().sum(-1)
        kernel = torch.where(d2 > 0, d2 * torch.log(d2.clamp_min(1e-30)), torch.zeros_like(d2))
        moved = kernel @ theta[:, :n] + theta[:, None, n] + q[:, :, :1] * theta[:, None, n + 1] + q[:, :, 1:] * theta[:, None, n + 2]
        return (moved + 1) / 2

    class LandmarkAutoencoder(nn.Module):
        def __init__(self):
            super().__init__()
            features, descriptor, self.padding, self.sigmas, detect, describe, decode = WIDTHS[size]
            maps = landmarks + 1
            self.detector = Hourglass(3, detect, maps, linear=True)
            self.features = Hourglass(3, describe)
            self.decoder = Hourglass(len(self.sigmas) * (maps + features), decode, 3, linear=True)

            def grouped(inputs, outputs):
                bound = math.sqrt(6 / (inputs + outputs))
                return nn.ParameterDict({"weight": nn.Parameter(torch.empty(maps, outputs, inputs).uniform_(-bound, bound)),
                                         "bias": nn.Parameter(torch.zeros(outputs))})

            self.describe, self.paint = grouped(features, descriptor), grouped(descriptor, features)

        def padded(self, x):
            (H, W), p = x.shape[2:], self.padding
            ring = x[:, :, 0].sum(-1) + x[:, :, -1].sum(-1) + x[:, :, 1:-1, 0].sum(-1) + x[:, :, 1:-1, -1].sum(-1)
            y = (ring / (2 * (H + W) - 4))[:, :, None, None].repeat(1, 1, H + 2 * p, W + 2 * p)
            y[:, :, p : y.shape[2] - p, p : y.shape[3] - p] = x
            return y

        def loss(self, image, control, theta, affine, reconstruction_weight, weights=WEIGHTS):
            (N, C, H, W), K = image.shape, landmarks
            padded = self.padded(image)
            Hp, Wp = padded.shape[2:]
            x, y = centres(Hp, Wp, image)
            grid = torch.stack([x, y], -1).reshape(1, -1, 2).expand(N, -1, -1)
            grid = 2 * warp_points(grid, control, theta, affine).reshape(N, Hp, Wp, 2) - 1
            warped = F.grid_sample(padded, grid, mode="bilinear", padding_mode="border", align_corners=False)

            maps = torch.softmax(self.detector(torch.cat([padded, warped])), 1)
            own = maps[:, :K]
            zeta = own.sum((2, 3)) + 1e-6
            mx, my = (own * x).sum((2, 3)) / zeta, (own * y).sum((2, 3)) / zeta
            vx = (own * (x - mx[..., None, None]).square()).sum((2, 3)) / zeta
            vy = (own * (y - my[..., None, None]).square()).sum((2, 3)) / zeta
            point = torch.stack([mx, my], -1)

            aspect, rho = Wp / Hp, math.sqrt(H * W / (Hp * Wp))
            concentration = weights["concentration"] / rho**2 * math.pi * math.e * (vx * aspect + vy / aspect).sum() / (2 * N)
            square = torch.stack([mx * math.sqrt(aspect), my / math.sqrt(aspect)], -1)
            d2 = (square[:, :, None] - square[:, None]).square().sum(-1)
            near = torch.exp(-d2 / (2 * (rho * weights["sigma"]) ** 2))
            separation = weights["separation"] * (near.sum() - near.diagonal(dim1=1, dim2=2).sum()) / (2 * N)
            back = warp_points(point[N:], control, theta, affine)
            equivariance = weights["equivariance"] / rho * 4 * (back - point[:N]).square().sum() / N

            masks = maps[:N].flatten(2)
            pooled = torch.bmm(masks, self.features(padded).flatten(2).transpose(1, 2)) / (masks.sum(2, keepdim=True) + 1e-6)
            code = torch.einsum("nks,kcs->nkc", pooled, self.describe["weight"]) + self.describe["bias"]
            values = F.leaky_relu(torch.einsum("nkc,ksc->nks", code, self.paint["weight"]) + self.paint["bias"], 0.2)

            cx, cy = (mx[:N] - 0.5) * (Wp / W) + 0.5, (my[:N] - 0.5) * (Hp / H) + 0.5
            x, y = centres(H, W, image)
            d2 = (x - cx[..., None, None]).square() * (W / H) + (y - cy[..., None, None]).square() * (H / W)
            stack = []
            for s in self.sigmas:
                density = torch.exp(-d2 / (2 * s * s)) / (2 * math.pi * s * s)
                density = torch.cat([density, torch.ones_like(density[:, :1])], 1)
                share = density / density.sum(1, keepdim=True)
                stack += [share, torch.bmm(values.transpose(1, 2), share.flatten(2)).reshape(N, -1, H, W)]
            painted = torch.sigmoid(self.decoder(torch.cat(stack, 1)))
            error = (painted - image).square() * reconstruction_weight[:, :, None, None]
            return concentration + separation + equivariance + 0.5 * C * H * W * error.mean()

    return LandmarkAutoencoder()


def random_batch(torch, size, batch, device):
    """Noise, and warps by splines of 49 control points."""
    side = {"mini": 32, "full": 80}[size]
    axis = (torch.arange(7) + 0.5) / 3.5 - 1
    control = torch.cartesian_prod(axis, axis).repeat(batch, 1, 1)
    theta = torch.cat([0.01 * torch.randn(batch, 49, 2), torch.tensor([[0.0, 0], [1, 0], [0, 1]]).repeat(batch, 1, 1)], 1)
    affine = torch.tensor([[0.94, -0.34, 0.05], [0.34, 0.94, -0.05]]).repeat(batch, 1, 1)
    tensors = torch.rand(batch, 3, side, side), control, theta, affine, torch.ones(batch, 3)
    return [t.to(device) for t in tensors]


def record(torch, folder, padding, landmarks=5, steps=4, rate=1e-7):
    """Four steps of gradient descent as `cairn replay` reads them. All values are those of float32."""
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = landmark_autoencoder(torch, "mini", landmarks).double().train()
    model.padding = padding
    for p in model.parameters():
        p.data = p.data.float().double()
    image, control, theta, affine, weight = (t.double() for t in random_batch(torch, "mini", 2, "cpu"))

    def save(name, tensors):
        kept = {k: v.detach().float().contiguous() for k, v in tensors.items() if "num_batches" not in k}
        save_file(kept, os.path.join(folder, name))

    os.makedirs(folder, exist_ok=True)
    save("weights.safetensors", model.state_dict())
    save("batch.safetensors", {"image": image, "warp_control": control, "warp_theta": theta, "warp_affine": affine,
                               "reconstruction_weight": weight})
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    batch = [t.float().double() for t in (image, control, theta, affine, weight)]
    losses, norms = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model.loss(*batch)
        loss.backward()
        losses.append(loss.item())
        norms.append(math.sqrt(sum(p.grad.square().sum().item() for p in model.parameters())))
        optimizer.step()
    save("weights_after.safetensors", model.state_dict())
    with open(os.path.join(folder, "replay.json"), "w") as out:
        options = {"size": "mini", "landmarks": landmarks, "padding": padding}
        json.dump({"model": "landmark_autoencoder", "options": options, "loss": "landmark_autoencoder",
                   "optimizer": {"name": "sgd", "lr": rate}, "steps": steps, "losses": losses, "gradient_norms": norms},
                  out, indent=1)


if __name__ == "__main__":
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="where the recording goes")
    parser.add_argument("--padding", type=int, default=4, help="pixels around the image; 4")
    arguments = parser.parse_args()
    record(torch, arguments.folder, arguments.padding)
