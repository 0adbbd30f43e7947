"""The losses (Yang et al. 2020, section 3.3), and all of them in one pass."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from generative_models.motion_transfer.model import (
    Architecture,
    Codes,
    Discriminator,
    TransferNetwork,
)
from generative_models.motion_transfer.normalisation import Normaliser, centred, from_local_rows
from generative_models.motion_transfer.views import body_vertical, turns

MARGIN = 0.2
HARDEST = 0.5
"""Share of the pairs of times, those that tell least, that the triplet loss looks at."""


class Inputs(NamedTuple):
    """What a step learns from, (B, 30, T) each: clips, the same motion on scaled limbs, another
    clip of the same people on the same scaled limbs. `known` (B, 30, 1): 1 where the data have the
    joint; `fed` (B, 30, 1): 1 where the network is shown it. `angles` (K, B), rad, of turns."""

    clips: Tensor
    scaled: Tensor
    others: Tensor
    known: Tensor
    fed: Tensor
    angles: Tensor


def mean_difference(made: Tensor, wanted: Tensor, known: Tensor) -> Tensor:
    """Mean absolute difference of clips (B, C, T) in the channels that are known, (B, C, 1)."""
    total = ((made - wanted) * known).abs().sum()
    return total / (known.sum() * made.shape[-1]).clamp(min=1)


def triplet_loss(features: Tensor, others: Tensor) -> Tensor:
    """Features over time (B, C, T) should be like one another, and unlike those of others.

    Of all pairs of times, how much more alike (cosine) are those of clip and other than those
    within the clip? Of the hardest half, what exceeds -`MARGIN`.
    """
    one, other = functional.normalize(features, dim=1), functional.normalize(others, dim=1)
    differences = (one.mT @ other - one.mT @ one).flatten(1)
    count = max(1, int(HARDEST * differences.shape[1]))
    return functional.relu(differences.topk(count, dim=1).values + MARGIN).mean()


def least_squares(scores: Tensor, wanted: float) -> Tensor:
    """Mean square distance of a discriminator's scores from what they should be (Mao et al.
    2017)."""
    return (scores - wanted).square().mean()


def turned(made: Tensor, angles: Tensor, normaliser: Normaliser) -> Tensor:
    """Clips in 3D (B, 45, T) turned about the body's vertical by angles (K, B), and seen in 2D.

    -> (K B, 30, T)
    """
    rows = centred(normaliser.rows(made))
    vertical = body_vertical(from_local_rows(rows))
    rotations = turns(vertical.expand(*angles.shape, 3), angles)
    seen = torch.einsum("kbxy,btry->kbtrx", rotations[..., :2, :], rows)
    return normaliser.channels(seen.flatten(0, 1))


def seen_from_front(made: Tensor, normaliser: Normaliser) -> Tensor:
    """Clips in 3D (B, 45, T) as they are seen, with the hips in the middle: (B, 30, T)."""
    return normaliser.channels(centred(normaliser.rows(made))[..., :2])


class TransferTraining(nn.Module):
    """Network and discriminator. All losses come out of `forward`, as several processes need."""

    def __init__(self, architecture: Architecture, normaliser: Normaliser) -> None:
        super().__init__()
        self.network = TransferNetwork(architecture)
        self.discriminator = Discriminator()
        self.register_buffer("mean", normaliser.mean, persistent=False)
        self.register_buffer("std", normaliser.std, persistent=False)

    @property
    def normaliser(self) -> Normaliser:
        """On the model's device."""
        return Normaliser(self.get_buffer("mean"), self.get_buffer("std"))

    def forward(self, *inputs: Tensor, part: str = "network") -> dict[str, Tensor]:
        """network: the terms of its loss by name, and `made`, the turned clips (K B, 30, T), from
        the fields of `Inputs`. discriminator: its loss, from real and made clips.
        transfer: mean error of the clip on the other clip's body, from the fields of `Inputs`."""
        if part == "discriminator":
            real, made = inputs
            scores = self.discriminator(real), self.discriminator(made)
            return {"discriminator": least_squares(scores[0], 1) + least_squares(scores[1], 0)}
        if part == "transfer":
            return {"transfer": self._transfer_error(Inputs(*inputs))}
        return self._network_losses(Inputs(*inputs))

    def _transfer_error(self, given: Inputs) -> Tensor:
        """Mean absolute error (B,) of the clips on the others' bodies, learning space."""
        codes = self.network.encode(given.clips * given.fed)
        body = self.network.encode(given.others * given.fed).body
        made = self.network.decode(codes.motion, body, codes.view, given.clips.shape[-1])
        wanted = self.normaliser.rows(given.scaled * given.known)[..., :-1, :]
        found = self.normaliser.rows(seen_from_front(made, self.normaliser) * given.known)
        counts = given.known[:, :-2].sum((1, 2)) * made.shape[-1]
        return (found[..., :-1, :] - wanted).abs().sum((1, 2, 3)) / counts.clamp(min=1)

    def _network_losses(self, given: Inputs) -> dict[str, Tensor]:
        network, frames = self.network, given.clips.shape[-1]
        both = network.encode(torch.cat([given.clips * given.fed, given.scaled * given.fed]))
        one, scaled = (Codes(*pair) for pair in zip(*(code.chunk(2) for code in both), strict=True))
        others = network.body.code(network.body.features(given.others * given.fed))
        # Itself, twice; each other's motion, twice; another clip's body.
        made = network.decode(
            torch.cat([one.motion, scaled.motion, scaled.motion, one.motion, one.motion]),
            torch.cat([one.body, scaled.body, one.body, scaled.body, others]),
            torch.cat([one.view, scaled.view, one.view, scaled.view, one.view]),
            frames,
        )
        flat = seen_from_front(made, self.normaliser)
        wanted = torch.cat([given.clips, given.scaled] * 2 + [given.scaled])
        pair = 2 * len(given.clips)
        parts = zip(flat.split(pair), wanted.split(pair), strict=True)
        own, crossed, transferred = (
            mean_difference(a, b, given.known.repeat(len(a) // len(given.known), 1, 1))
            for a, b in parts
        )
        terms = {"reconstruction": own, "cross": crossed, "transfer": transferred}
        terms |= {
            "motion_limbs": functional.l1_loss(one.motion, scaled.motion),
            "view_limbs": functional.l1_loss(one.view, scaled.view),
            "body_triplet": triplet_loss(one.body_features, scaled.body_features),
        }
        return terms | self._turned_losses(made[: len(given.clips)], one, given)

    def _turned_losses(self, made: Tensor, one: Codes, given: Inputs) -> dict[str, Tensor]:
        """Losses of the made 3D clips (B, 45, T), turned and seen again; `one`: the codes that they
        were made of."""
        count = len(given.angles)
        views = turned(made, given.angles, self.normaliser) * given.known.repeat(count, 1, 1)
        again = self.network.encode(views)
        before = Codes(*(code.repeat(count, 1, 1) for code in one))
        return {
            "motion_turns": functional.l1_loss(again.motion, before.motion),
            "body_turns": functional.l1_loss(again.body, before.body),
            "view_triplet": triplet_loss(before.view_features, again.view_features),
            "adversarial": least_squares(self.discriminator(views), 1),
            "made": views.detach(),
        }
