"""Writes the weights and outputs that the tests of `trainer import` read.

    python -m venv venv && venv/bin/pip install torch numpy safetensors flax siren-pytorch random-fourier-features-pytorch
    venv/bin/python make.py

Every network is written by the library that it belongs to: NAME.safetensors holds its state_dict (or its Flax
parameters), NAME.outputs.safetensors the `points` [n, d] and what the library computes there, `outputs` [n, c], in f32 on
the CPU. The files that are here are of torch 2.15.0, safetensors 0.8.0, flax 0.12.8 with jax 0.10.2, siren-pytorch and
random-fourier-features-pytorch of November 2026.
"""

import jax
import numpy as np
import rff
import torch
from flax import linen
from safetensors.numpy import save_file as save_numpy
from safetensors.torch import save_file
from siren_pytorch import SirenNet
from torch import nn

TAU = 2 * np.pi


def points(inputs, low=0.0, high=1.0, count=24):
    return low + (high - low) * torch.rand(count, inputs)


def save(name, model, x):
    with torch.no_grad():
        outputs = model(x)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, f"{name}.safetensors")
    save_file({"points": x, "outputs": outputs.contiguous()}, f"{name}.outputs.safetensors")


class Tancik(nn.Module):
    """γ(v) = [cos 2πBv, sin 2πBv], then ReLU layers: Tancik et al. 2020, equation 5."""

    def __init__(self, inputs, rows, widths, outputs, sine_first=False):
        super().__init__()
        self.register_buffer("B", 3 * torch.randn(rows, inputs))
        sizes = [2 * rows, *widths, outputs]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.sine_first = sine_first

    def forward(self, x):
        angles = TAU * x @ self.B.T
        halves = [angles.cos(), angles.sin()]
        x = torch.cat(halves[::-1] if self.sine_first else halves, dim=-1)
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


class SineLayer(nn.Module):
    """As in the notebook of vsitzmann/siren."""

    def __init__(self, inputs, outputs, is_first=False, omega_0=30):
        super().__init__()
        self.omega_0 = omega_0
        self.linear = nn.Linear(inputs, outputs)
        bound = 1 / inputs if is_first else np.sqrt(6 / inputs) / omega_0
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x):
        return torch.sin(self.omega_0 * self.linear(x))


class Siren(nn.Module):
    """As in the notebook of vsitzmann/siren: names net.N.linear.weight, and net.N.weight of the last layer."""

    def __init__(self, outermost_linear=True):
        super().__init__()
        last = nn.Linear(16, 3) if outermost_linear else SineLayer(16, 3)
        self.net = nn.Sequential(SineLayer(2, 16, is_first=True), SineLayer(16, 16), last)

    def forward(self, x):
        return self.net(x)


class Pixels(nn.Module):
    """Convolutions over one pixel, behind features whose B is [d, m]: as in pytorch-fourier-feature-networks."""

    def __init__(self):
        super().__init__()
        self.register_buffer("_B", 4 * torch.randn(2, 10))
        self.net = nn.Sequential(nn.Conv2d(20, 16, 1), nn.ReLU(), nn.Conv2d(16, 3, 1), nn.Sigmoid())

    def forward(self, x):
        angles = TAU * x @ self._B
        features = torch.cat([angles.sin(), angles.cos()], dim=-1)
        return self.net(features.T[None, :, :, None])[0, :, :, 0].T


class Dense(linen.Module):
    """Flax: kernels are [in, out]."""

    @linen.compact
    def __call__(self, features):
        x = linen.relu(linen.Dense(16)(features))
        x = linen.relu(linen.Dense(16)(x))
        return linen.Dense(2)(x)


class Skip(nn.Module):
    """The second layer sees the features again."""

    def __init__(self):
        super().__init__()
        self.register_buffer("B", torch.randn(4, 2))
        self.layers = nn.ModuleList([nn.Linear(8, 8), nn.Linear(16, 8), nn.Linear(8, 1)])

    def forward(self, x):
        features = torch.cat([(TAU * x @ self.B.T).cos(), (TAU * x @ self.B.T).sin()], dim=-1)
        x = self.layers[0](features).relu()
        x = self.layers[1](torch.cat([x, features], dim=-1)).relu()
        return self.layers[2](x)


torch.manual_seed(1)
save("tancik", Tancik(2, 16, [24, 24], 3), points(2))
save("tancik_sin_cos", Tancik(1, 8, [12], 1, sine_first=True), points(1, -2.0, 5.0))
save("rff", nn.Sequential(rff.layers.GaussianEncoding(2.0, 3, 12), nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 2)), points(3))
save("siren", Siren(), points(2, -1.0, 1.0))
save("siren_to_the_end", Siren(outermost_linear=False), points(2, -1.0, 1.0))
save("siren_pytorch", SirenNet(dim_in=2, dim_hidden=16, dim_out=1, num_layers=3, final_activation=nn.Identity()), points(2, -1.0, 1.0))
save("pixels", Pixels(), points(2))
save("skip", Skip(), points(2))
save("batch_norm", nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1)), points(2))

# The number types in which weights are shared.
for name, dtype in [("f16", torch.float16), ("bf16", torch.bfloat16), ("f64", torch.float64)]:
    model = Tancik(1, 4, [4], 1).to(dtype)
    save_file(model.state_dict(), f"{name}.safetensors")
    x = points(1)
    with torch.no_grad():
        save_file({"points": x, "outputs": model.float()(x)}, f"{name}.outputs.safetensors")

key = jax.random.PRNGKey(2)
frequencies = np.asarray(2 * jax.random.normal(key, (8, 2)), dtype=np.float32)
x = points(2).numpy()
features = np.concatenate([np.sin(TAU * x @ frequencies.T), np.cos(TAU * x @ frequencies.T)], axis=-1)
features = features.astype(np.float32)
model = Dense()
variables = model.init(key, features)
flat = {"/".join(k.key for k in path): np.asarray(v) for path, v in jax.tree_util.tree_flatten_with_path(variables)[0]}
save_numpy({"B": frequencies, **flat}, "flax.safetensors")
outputs = np.asarray(model.apply(variables, features), dtype=np.float32)
save_numpy({"points": x, "outputs": outputs}, "flax.outputs.safetensors")
