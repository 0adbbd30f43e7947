"""Generator and discriminators of pose2vid, after pix2pixHD.

Wang, Liu, Zhu, Tao, Kautz, Catanzaro, "High-resolution image synthesis and semantic manipulation
with conditional GANs", 2018, sections 3.1 and 3.2; the frame before as input and pairs of frames
for the discriminators after Chan, Ginosar, Zhou, Efros, "Everybody dance now", 2019, section 4.
Departures: any size (a picture is padded to what halving needs, and the result cut back), and the
face's generator is a part of the whole one, which learns from the same losses.
"""

import itertools
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Norm = Literal["instance", "batch"]
FACE_HALVINGS, FACE_BLOCKS = 2, 6
_WIDEST_PATCH = 512
_STD = 0.02
"""Standard deviation of a new convolution's weights."""


@dataclass(frozen=True)
class Pose2VidArchitecture:
    """Size of a `Pose2VidGenerator`; channels: of its inputs, without the frame before."""

    channels: int
    netG: str
    ngf: int
    n_downsample_global: int
    n_blocks_global: int
    n_local_enhancers: int
    n_blocks_local: int
    norm: Norm
    face_size: int

    @property
    def multiple(self) -> int:
        """What the side of a picture is padded to a multiple of."""
        return 2 ** (self.n_downsample_global + self.enhancers)

    @property
    def enhancers(self) -> int:
        """How many, each of which halves what the global generator sees."""
        return self.n_local_enhancers if self.netG == "local" else 0

    @property
    def smallest(self) -> int:
        """Side of a picture, px, from which on mirrored edges and normalisation have enough: the
        global generator needs 4 px, and 2 after its last halving."""
        return max(4 * 2**self.enhancers, 2 * self.multiple)


def _norm(kind: Norm, channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.InstanceNorm2d(channels)


def _wide(a: int, b: int, norm: Norm) -> list[nn.Module]:
    return [nn.ReflectionPad2d(3), nn.Conv2d(a, b, 7), _norm(norm, b), nn.ReLU()]


def _down(a: int, b: int, norm: Norm) -> list[nn.Module]:
    return [nn.Conv2d(a, b, 3, 2, 1), _norm(norm, b), nn.ReLU()]


def _up(a: int, b: int, norm: Norm) -> list[nn.Module]:
    return [nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1), _norm(norm, b), nn.ReLU()]


def _picture(a: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(3), nn.Conv2d(a, 3, 7), nn.Tanh()]


class Block(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        half = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), _norm(norm, channels)]
        other = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), _norm(norm, channels)]
        self.layers = nn.Sequential(*half, nn.ReLU(), *other)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        return x + self.layers(x)


def global_features(channels: int, ngf: int, halvings: int, blocks: int, norm: Norm) -> nn.Module:
    """The global generator up to its last layer: (B, C, H, W) -> (B, ngf, H, W)."""
    widths = [ngf * 2**i for i in range(halvings + 1)]
    layers = _wide(channels, ngf, norm)
    for a, b in itertools.pairwise(widths):
        layers += _down(a, b, norm)
    layers += [Block(widths[-1], norm) for _ in range(blocks)]
    for a, b in zip(widths[::-1], widths[-2::-1], strict=False):
        layers += _up(a, b, norm)
    return nn.Sequential(*layers)


def global_generator(channels: int, ngf: int, halvings: int, blocks: int, norm: Norm) -> nn.Module:
    """(B, C, H, W) -> pictures (B, 3, H, W) in [-1, 1]."""
    return nn.Sequential(global_features(channels, ngf, halvings, blocks, norm), *_picture(ngf))


def halved(pictures: Tensor) -> Tensor:
    """Half as large, as the generators and discriminators of coarser scales see them."""
    return functional.avg_pool2d(pictures, 3, 2, 1, count_include_pad=False)


class LocalGenerator(nn.Module):
    """A global generator on a smaller picture, and enhancers that add what it lacks."""

    def __init__(self, channels: int, one: Pose2VidArchitecture) -> None:
        super().__init__()
        count, norm = one.n_local_enhancers, one.norm
        self.coarse = global_features(
            channels, one.ngf * 2**count, one.n_downsample_global, one.n_blocks_global, norm
        )
        widths = [one.ngf * 2**i for i in reversed(range(count))]
        self.before = nn.ModuleList(
            nn.Sequential(*_wide(channels, w, norm), *_down(w, 2 * w, norm)) for w in widths
        )
        self.after = nn.ModuleList(
            nn.Sequential(
                *(Block(2 * w, norm) for _ in range(one.n_blocks_local)), *_up(2 * w, w, norm)
            )
            for w in widths
        )
        self.last = nn.Sequential(*_picture(one.ngf))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> pictures (B, 3, H, W) in [-1, 1]."""
        scales = [x]
        for _ in self.before:
            scales.append(halved(scales[-1]))
        made = self.coarse(scales.pop())
        for before, after in zip(self.before, self.after, strict=True):
            made = after(before(scales.pop()) + made)
        return self.last(made)


class Pose2VidGenerator(nn.Module):
    """Drawn skeletons and the frame before -> the frame."""

    def __init__(self, architecture: Pose2VidArchitecture) -> None:
        super().__init__()
        one, channels = architecture, architecture.channels + 3
        self.architecture = one
        if one.netG == "local":
            self.body: nn.Module = LocalGenerator(channels, one)
        else:
            sizes = (one.n_downsample_global, one.n_blocks_global)
            self.body = global_generator(channels, one.ngf, *sizes, one.norm)
        self.face = None
        if one.face_size:
            self.face = global_generator(3, one.ngf, FACE_HALVINGS, FACE_BLOCKS, one.norm)
        self.apply(start_weights)

    def forward(self, drawn: Tensor, before: Tensor, noses: Tensor | None = None) -> Tensor:
        """Inputs (B, C, S, S), frames before (B, 3, S, S) in [-1, 1] (zeros at the start) and, for
        the face, noses (B, 2) px, NaN missing -> pictures (B, 3, S, S) in [-1, 1]."""
        height, width = drawn.shape[-2:]
        down, across = (-side % self.architecture.multiple for side in (height, width))
        x = functional.pad(torch.cat([drawn, before], dim=1), (0, across, 0, down))
        made = self.body(x)[..., :height, :width]
        if self.face is None or noses is None:
            return made
        return self._with_faces(made, noses)

    def _with_faces(self, made: Tensor, noses: Tensor) -> Tensor:
        """Pictures with what the face's generator adds in the squares about the noses."""
        assert self.face is not None
        known = noses.isfinite().all(dim=-1).nonzero()[:, 0].tolist()
        if not known:
            return made
        places = [face_window(noses[row], self.architecture.face_size, made) for row in known]
        faces = torch.stack([made[row, :, y, x] for row, (y, x) in zip(known, places, strict=True)])
        better = (faces + self.face(faces)).clamp(-1, 1)
        whole = made.clone()
        for row, (y, x), face in zip(known, places, better, strict=True):
            whole[row, :, y, x] = face
        return whole


def face_window(nose: Tensor, side: int, pictures: Tensor) -> tuple[slice, slice]:
    """Rows and columns of the square of `side` px about a nose (2,) px, within the picture."""
    x, y = (
        int((nose[axis] - (side - 1) / 2).round().clamp(0, pictures.shape[3 - axis] - side))
        for axis in (0, 1)
    )
    return slice(y, y + side), slice(x, x + side)


class PatchDiscriminator(nn.Module):
    """(B, C, H, W) -> features of every layer; the last are scores of patches, (B, 1, h, w)."""

    def __init__(self, channels: int, ndf: int, layers: int, norm: Norm) -> None:
        super().__init__()
        widths = [min(ndf * 2**i, max(_WIDEST_PATCH, ndf)) for i in range(layers + 1)]
        stages = [nn.Sequential(nn.Conv2d(channels, ndf, 4, 2, 2), nn.LeakyReLU(0.2))]
        for number, (a, b) in enumerate(itertools.pairwise(widths), start=1):
            stride = 1 if number == layers else 2
            conv = nn.Conv2d(a, b, 4, stride, 2)
            stages.append(nn.Sequential(conv, _norm(norm, b), nn.LeakyReLU(0.2)))
        stages.append(nn.Sequential(nn.Conv2d(widths[-1], 1, 4, 1, 2)))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        """See the class."""
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class MultiscaleDiscriminator(nn.Module):
    """Patch discriminators, each on half the resolution of the one before."""

    def __init__(self, channels: int, ndf: int, layers: int, scales: int, norm: Norm) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(channels, ndf, layers, norm) for _ in range(scales)
        )
        self.apply(start_weights)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """(B, C, H, W) -> features of every layer of every scale."""
        features = []
        for scale in self.scales:
            features.append(scale(x))
            x = halved(x)
        return features


def start_weights(layer: nn.Module) -> None:
    """Weights of convolutions from N(0, 0.02^2), of batch norms from N(1, 0.02^2)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, _STD)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, _STD)
        nn.init.zeros_(layer.bias)
