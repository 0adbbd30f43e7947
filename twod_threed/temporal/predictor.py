"""From films of 2D poses, of any skeleton, camera and frame rate, to 3D poses.

What happens to a film of T frames: joints that are absent for at most `max_gap` frames are
interpolated over time; the film is brought to the frame rate that the networks were trained at;
each stretch in which the person is seen is lifted as a film of its own, with copies of its first
and last frame beyond its ends; the answers are brought back to the frames that were asked for.
Frames of a longer absence are NaN. A joint that stays absent while others are seen goes in as the
normalisation's zero.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from twod_threed.alignment import MIN_JOINTS, SIZE_PER_HEIGHT, body_size
from twod_threed.predictor import Lifted, guess_intrinsics
from twod_threed.temporal.description import TemporalDescription
from twod_threed.temporal.global_motion import (
    DEPTH_CUTOFF,
    DIRECTION_CUTOFF,
    root_from_keypoints,
    smooth_root,
)
from twod_threed.temporal.inference_options import WeightsOptions
from twod_threed.temporal.loading import OWN_FILES, load_networks
from twod_threed.temporal.model import TemporalNetwork
from twod_threed.temporal.networks import TemporalNetworks
from twod_threed.temporal.normalisation import METRE
from twod_threed.temporal.resampling import even_times, resample
from twod_threed.temporal.sequences import near_each_other, numbered, on_every_frame
from twod_threed.temporal.whole_sequence import lift_sequence
from twod_threed.video import fill_gaps
from utils.devices import device_kind
from utils.errors import UserError
from utils.skeleton_conversion import conversion_rules, convert
from utils.skeletons import H36M_17, skeleton_named
from utils.weights import resolve

SHIPPED = "temporal"
MAX_GAP = 10
"""Frames in a row without a joint that are filled."""
SAME_RATE = 0.05
"""Rates that differ by less than this share are taken for the same, as film and television do."""
_USUAL_RATE = 25.0  # frames per second, for smoothing, where no rate is known
_SLICE = 8192  # frames in a go, so that what is needed for an hour stays small


@dataclass(frozen=True)
class _Camera:
    """The camera of a film, as batches of one: intrinsics (1, 4) and image_size (1, 2), px."""

    intrinsics: Tensor
    image_size: Tensor


class TemporalLiftingModel:
    """Trained temporal networks, ready for use."""

    def __init__(
        self,
        networks: TemporalNetworks,
        description: TemporalDescription,
        accelerator: str = "auto",
    ) -> None:
        self.device = torch.device(device_kind(accelerator))
        self.description = description
        self.networks = networks.to(self.device).eval()
        self.normaliser = self.description.normaliser(self.device)
        self.skeleton_2d = skeleton_named(self.description.skeleton_2d)
        self.skeleton_3d = skeleton_named(self.description.skeleton_3d)

    @classmethod
    def load(
        cls,
        name_or_path: str = SHIPPED,
        accelerator: str = "auto",
        skeleton_2d: str = "",
        causal: bool = False,
        dense: bool = False,
    ) -> "TemporalLiftingModel":
        """From anything that `--load` takes. skeleton_2d, causal and dense: what public checkpoints
        do not tell (`twod_threed.temporal.loading`)."""
        return cls(*load_networks(name_or_path, skeleton_2d, causal, dense), accelerator)

    @classmethod
    def of(cls, options: WeightsOptions, films: str = "") -> "TemporalLiftingModel":
        """What the options ask for.

        films: name of the skeleton of the 2D joints that are to be lifted, which a public
        checkpoint is taken to be for unless the options say another. Raises UserError if the
        weights are absent or others.
        """
        one, place = options, options.place
        is_public = resolve(place).suffix not in OWN_FILES
        joints = one.skeleton_2d or (films if is_public else "")
        model = cls.load(place, one.accelerator, joints, one.causal, one.dense)
        found = model.description.architecture
        if one.widths not in ((), found.widths):
            told = ",".join(map(str, found.widths))
            raise UserError(f"{place} has filter widths {told}, not {one.architecture}")
        if one.channels not in (None, found.channels):
            raise UserError(f"{place} has {found.channels} channels, not {one.channels}")
        return model

    def lift(
        self,
        keypoints: np.ndarray,
        skeleton: str,
        image_size: np.ndarray | tuple[int, int] | None = None,
        intrinsics: np.ndarray | None = None,
        frame_rate: float | None = None,
        height: float | None = None,
        flip: bool = True,
        max_gap: int = MAX_GAP,
        frames: np.ndarray | None = None,
    ) -> Lifted:
        """Lift one person's film, seen by one camera.

        keypoints (T, J, 2) px of the picture, NaN absent; skeleton: their name in SKELETONS.
        image_size (2,) px and intrinsics (4,) fx, fy, cx, cy px of the camera: what the
        normalisation does not need may be left out, but not both. frames (T,): numbers of the
        frames, rising, 0, 1, 2, ... if not given; frame_rate: of those numbers, per second; the
        trained one if unknown. height: standing height of the person, mm, that the median size of
        the answers gets. flip: average with the mirror image of what is made of the mirror image.

        -> poses (T, J3, 3) of the description's `skeleton_3d`, mm, camera axes, relative to the
        hip, and root_camera (T, 3) mm. Raises UserError if the skeleton lacks what is needed.
        """
        camera = self._camera(image_size, intrinsics)
        points = self._points(keypoints, skeleton)
        numbers, step = numbered(len(points), frames)
        rate = frame_rate / step if frame_rate and np.isfinite(frame_rate) else None
        answers = np.full((len(points), len(self.skeleton_3d) + 1, 3), np.nan, np.float32)
        for rows in near_each_other(numbers, max_gap):
            part = numbers[rows] - numbers[rows[0]]
            answers[rows] = self._lift_part(points[rows], part, camera, rate, flip, max_gap)
        if height is not None:
            answers *= SIZE_PER_HEIGHT * height / self._median_size(answers[:, :-1])
        return Lifted(answers[:, :-1], answers[:, -1])

    def _camera(
        self,
        image_size: np.ndarray | tuple[int, int] | None,
        intrinsics: np.ndarray | None,
    ) -> _Camera:
        if image_size is None:
            if intrinsics is None or self.description.normalisation == "screen":
                raise ValueError("the camera is unknown: give image_size, or intrinsics for view")
            # Of no consequence for "view", which sees rays.
            image_size = 2 * np.asarray(intrinsics)[2:]
        if intrinsics is None:
            intrinsics = guess_intrinsics(np.asarray(image_size)[None])[0]
        arrays = (np.asarray(one, np.float32)[None] for one in (intrinsics, image_size))
        return _Camera(*(torch.from_numpy(one).to(self.device) for one in arrays))

    def _points(self, keypoints: np.ndarray, skeleton: str) -> np.ndarray:
        """Keypoints (T, J, 2) in the skeleton of the networks' input, float32."""
        points = np.asarray(keypoints, np.float32)
        source, target = skeleton_named(skeleton), self.skeleton_2d
        if source == target:
            return points
        rules = conversion_rules(source, target)
        if not all(rules[place].parts for place in target.indices("left_hip", "right_hip")):
            raise UserError(f"poses of {source.title} cannot be lifted: they have no hips")
        return convert(points, source, target).poses

    def _lift_part(
        self,
        points: np.ndarray,
        numbers: np.ndarray,
        camera: _Camera,
        rate: float | None,
        flip: bool,
        max_gap: int,
    ) -> np.ndarray:
        """Frames (t, J, 2) with these numbers (t,), from 0, -> (t, J3 + 1, 3) mm: poses, root."""
        film = fill_gaps(on_every_frame(points, numbers), np.arange(numbers[-1] + 1), max_gap)
        answers = np.full((len(film), len(self.skeleton_3d) + 1, 3), np.nan, np.float32)
        present = np.isfinite(film[:, self.normaliser.joints_in]).all(axis=-1)
        rows = np.flatnonzero(present.sum(axis=-1) >= MIN_JOINTS)
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            if len(run):
                answers[run] = self._lift_run(film[run], camera, rate, flip)
        return answers[numbers]

    def _lift_run(
        self, film: np.ndarray, camera: _Camera, rate: float | None, flip: bool
    ) -> np.ndarray:
        """Frames (N, J, 2) px, in all of which the person is seen -> (N, J3 + 1, 3) mm."""
        trained = self.description.frame_rate
        if rate is None or np.isnan(trained) or abs(rate / trained - 1) < SAME_RATE:
            known = trained if rate is None else rate
            return self._lift_frames(film, camera, _USUAL_RATE if np.isnan(known) else known, flip)
        times = np.arange(len(film)) / rate
        wanted = even_times(times, trained)
        # Frames that were not there are NaN: neighbours are never too far apart.
        there = resample(film, times, wanted, max_gap=np.inf)
        answers = self._lift_frames(there, camera, trained, flip)
        return resample(answers, wanted, times, max_gap=np.inf)

    def _lift_frames(
        self, film: np.ndarray, camera: _Camera, rate: float, flip: bool
    ) -> np.ndarray:
        """Frames (N, J, 2) px, `rate` a second -> (N, J3 + 1, 3) mm: poses, places of the hips.

        In slices, each with the frames about it that its answers are made from: the same as in one.
        """
        before, after = self.description.architecture.padding
        answers = np.empty((len(film), len(self.skeleton_3d) + 1, 3), np.float32)
        for start in range(0, len(film), _SLICE):
            first, end = max(start - before, 0), min(start + _SLICE, len(film))
            found = self._lift_slice(film[first : end + after], camera, flip)
            answers[start:end] = found[start - first : end - first]
        answers[:, -1] = _calm(answers[:, -1], rate)
        return answers

    @torch.inference_mode()
    def _lift_slice(self, film: np.ndarray, camera: _Camera, flip: bool) -> np.ndarray:
        """Frames (N, J, 2) px -> (N, J3 + 1, 3) mm, all at once."""
        pixels = torch.from_numpy(film).to(self.device)[None]
        points, view = self.normaliser.inputs(pixels, camera.intrinsics, camera.image_size)
        networks = self.networks
        outputs = self._both_ways(networks.pose, points[0], self.description.joints_3d, flip)
        poses = self.normaliser.poses(outputs[None], view)[0].cpu().numpy()
        if networks.trajectory is None:
            root = self._roots(poses, film, camera)
        else:
            metres = self._both_ways(networks.trajectory, points[0], ("hip",), flip)[:, 0]
            root = metres.cpu().numpy() * METRE
        return np.concatenate([poses, root[:, None]], axis=1)

    def _both_ways(
        self, network: TemporalNetwork, inputs: Tensor, joints: tuple[str, ...], flip: bool
    ) -> Tensor:
        """Points (N, J, 2) -> answers (N, J', 3) with these names; flip: the mean of both ways.

        In either normalisation a mirror changes the sign of x and exchanges left and right.
        """
        outputs = lift_sequence(network, inputs)
        if not flip:
            return outputs
        order_in, order_out = _mirror_order(self.description.joints_2d), _mirror_order(joints)
        sign = inputs.new_tensor([-1.0, 1.0, 1.0])
        mirrored = lift_sequence(network, inputs[:, order_in] * sign[:2])
        return (outputs + mirrored[:, order_out] * sign) / 2

    def _roots(self, poses: np.ndarray, film: np.ndarray, camera: _Camera) -> np.ndarray:
        """(N, 3) mm: where the hips of poses (N, J3, 3) are, by the size at which they are seen."""
        standard = convert(poses, self.skeleton_3d, H36M_17).poses
        lens, name = camera.intrinsics[0].cpu().numpy(), self.skeleton_2d.name
        return root_from_keypoints(standard, film, name, lens).astype(np.float32)

    def _median_size(self, poses: np.ndarray) -> float:
        """Median size of the bodies of poses (T, J3, 3), mm."""
        standard = convert(poses, self.skeleton_3d, H36M_17).poses
        return float(body_size(torch.from_numpy(standard)).nanmedian())


def _mirror_order(joints: tuple[str, ...]) -> list[int]:
    """For each joint the place of the one that a mirror puts there."""
    other = {"left": "right", "right": "left"}
    names = [joint.split("_", 1) for joint in joints]
    return [joints.index("_".join([other.get(side, side), *rest])) for side, *rest in names]


def _calm(root: np.ndarray, rate: float) -> np.ndarray:
    """A trajectory (N, 3) mm without the jitter of its depth."""
    depth, direction = (min(cutoff, rate / 2) for cutoff in (DEPTH_CUTOFF, DIRECTION_CUTOFF))
    return smooth_root(root, rate, depth, direction)
