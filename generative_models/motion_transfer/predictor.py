"""Retargeting by the network: the source's motion and view, the target's body."""

import numpy as np
import torch
from torch import Tensor

from generative_models.motion_transfer.description import TransferDescription, load_network
from generative_models.motion_transfer.films import (
    Film,
    film_of,
    frame_times,
    resampled,
    with_points,
)
from generative_models.motion_transfer.limbs import (
    ROOT,
    leg_factor,
    limb_lengths,
)
from generative_models.motion_transfer.losses import seen_from_front
from generative_models.motion_transfer.model import SHORTEST, Codes, TransferNetwork
from generative_models.motion_transfer.normalisation import JOINTS, local_rows
from generative_models.motion_transfer.retarget import place, size_of
from utils.devices import device_kind
from utils.errors import UserError
from utils.pose_file import Poses


class LearnedRetargeter:
    """A trained network, ready for use: `retargeter(source, target)`."""

    def __init__(
        self, network: TransferNetwork, description: TransferDescription, accelerator: str = "auto"
    ) -> None:
        self.device = torch.device(device_kind(accelerator))
        self.network = network.to(self.device).eval()
        self.normaliser = description.normaliser.to(self.device)
        self.frame_rate = description.frame_rate

    @classmethod
    def load(cls, name_or_path: str, accelerator: str = "auto") -> "LearnedRetargeter":
        """From anything that `--load` takes. Raises UserError where there are no such weights."""
        return cls(*load_network(name_or_path), accelerator)

    def film(self, poses: Poses, name: str) -> Film:
        """The film in a pose file. Raises UserError as `film_of`, and if the network needs more."""
        film = film_of(poses, name)
        count = len(self.times(film)[1])
        if count < SHORTEST:
            rate = f"{self.frame_rate:g} a second"
            raise UserError(f"{name} has {count} frames at {rate}; the network needs {SHORTEST}")
        return film

    def times(self, film: Film) -> tuple[np.ndarray, np.ndarray]:
        """Times, s, of a film's frames (N,) and of those that the network sees of it (M,).

        The latter are as far apart as in the motion that trained, but for what meets both ends.
        """
        own = frame_times(film, self.frame_rate)
        steps = round((own[-1] - own[0]) * self.frame_rate)
        return own, np.linspace(own[0], own[-1], steps + 1)

    def channels(self, film: Film) -> Tensor:
        """A film as the network takes it, (1, 30, M): of a body of size 1, at its frame rate."""
        points = resampled(film.points, *self.times(film)) / size_of(film)
        return self.normaliser.channels(local_rows(points[None].to(self.device)))

    def codes(self, rows: Tensor) -> Codes:
        """Codes of local rows (B, T, 15, 2) of bodies of size about 1."""
        return self.network.encode(self.normaliser.channels(rows.to(self.device)))

    @torch.inference_mode()
    def transfer(self, clips: Tensor, targets: Tensor) -> Tensor:
        """Clips (B, 30, T) on the bodies of targets (B, 30, T') -> local rows (B, T, 15, 2)."""
        clips, targets = clips.to(self.device), targets.to(self.device)
        codes = self.network.encode(clips)
        body = self.network.body.code(self.network.body.features(targets))
        made = self.network.decode(codes.motion, body, codes.view, clips.shape[-1])
        return self.normaliser.rows(seen_from_front(made, self.normaliser))

    @torch.inference_mode()
    def grid(self, clips: Tensor, targets: Tensor, steps: int) -> Tensor:
        """What lies between two clips (1, 30, T): local rows (steps, steps, T, 15, 2).

        Down, the motion code goes from that of the clip to that of the target; to the right, so do
        body and view (Yang et al. 2020, figure 1).
        """
        one, other = self.network.encode(clips), self.network.encode(targets)
        shares = torch.linspace(0, 1, steps, device=self.device)[:, None, None]
        motion, body, view = (
            torch.lerp(a, b, shares) for a, b in zip(one[:3], other[:3], strict=True)
        )
        made = self.network.decode(
            motion.repeat_interleave(steps, 0),
            body.repeat(steps, 1, 1),
            view.repeat(steps, 1, 1),
            clips.shape[-1],
        )
        rows = self.normaliser.rows(seen_from_front(made, self.normaliser))
        return rows.unflatten(0, (steps, steps))

    def __call__(self, source: Poses, target: Poses) -> Poses:
        """The source's motion on the target's body, in the target's pixels, where it stands.

        The way of the hips is the source's, in steps as long as the new legs make them: velocities
        that the network makes would lead away in a long film. Raises UserError for pose files of
        several people, without hips, or of fewer than 8 frames at the network's rate.
        """
        one, other = self.film(source, "the source"), self.film(target, "the target")
        rows = self.transfer(self.channels(one), self.channels(other))[0].cpu()
        own, seen = self.times(one)
        local = torch.zeros_like(one.points)
        local[:, JOINTS] = resampled(rows[:, :-1], seen, own) * size_of(other)
        steps = leg_factor(limb_lengths(local) / limb_lengths(one.points))
        # Without legs to compare, as far as the bodies are larger.
        steps = torch.where(steps.isnan(), size_of(other) / size_of(one), steps)
        points = local + steps * one.points[:, ROOT, None]
        return with_points(one, place(points, other.points), other.poses.image_size[0])
