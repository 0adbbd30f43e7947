"""The same as `run.py pose`, from Python: `PosePipeline()(picture)`."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from stitched.inputs import Source, expand_inputs
from stitched.lifting import make_lifter
from stitched.options import LiftOptions, MachineOptions, PeopleOptions, VideoOptions
from stitched.outputs import PoseRows
from stitched.people import PeopleFinder
from stitched.pictures import Picture, find_in_pictures, in_batches
from stitched.pose import load_predictor
from stitched.videos import finish, open_source, watch
from utils.errors import UserError
from utils.images import check_image, read_image
from utils.pose_file import Poses, concatenate

What: TypeAlias = np.ndarray | str | Path
"""A picture, uint8 RGB (H, W, 3), or the path of a picture, a video or a folder of them."""


class PosePipeline:
    """Pictures and videos in, 2D and 3D poses out.

        poses = PosePipeline()("photo.jpg")
        poses.keypoints_2d[0], poses.keypoints_3d[0]

    The options are those of `run.py pose`, in its groups; each group's defaults hold where it is
    not given, but PyTorch runs the networks unless `machine` says `backend="onnx"`. Networks are
    loaded once. Raises UserError for weights, boxes or a detector that are not there.
    """

    def __init__(
        self,
        load: str = "",
        mode: str = "best",
        who: PeopleOptions | None = None,
        lifting: LiftOptions | None = None,
        video: VideoOptions | None = None,
        machine: MachineOptions | None = None,
    ) -> None:
        machine, lifting = machine or MachineOptions(), lifting or LiftOptions()
        who = who or PeopleOptions()
        predictor = load_predictor(load, mode, machine, who.scales)
        self._finder = PeopleFinder(predictor, who, machine.accelerator)
        self._lifter = make_lifter(lifting, machine, predictor.skeleton)
        self._video = video or VideoOptions()

    def __call__(self, what: What | Sequence[What]) -> Poses:
        """Rows for the people of a picture or video, or of several, in their order.

        Of one person there is exactly one row a picture or frame, NaN where nobody is. `source` is
        the path, and of a picture that has none its place in `what`. A video that breaks off gives
        what came before, with a warning. Raises UserError for what cannot be read; ValueError for
        an array that is no picture, or for nothing.
        """
        several = [what] if isinstance(what, np.ndarray | str | Path) else what
        if not len(several):
            raise ValueError("there is nothing to look at")
        parts: list[Poses] = []
        items = groupby(self._items(several), key=lambda item: isinstance(item, Picture))
        for are_pictures, group in items:
            if not are_pictures:
                parts += [self._look_at_video(item) for item in group]
                continue
            for batch in in_batches(group):
                found = find_in_pictures(self._finder, self._lifter, batch)
                parts += [poses for _, poses in found]
        return concatenate(parts)

    def _items(self, several: Sequence[What]) -> Iterator[Any]:
        """A `Picture` for each picture, and a `Source` for each video."""
        for number, one in enumerate(several):
            if isinstance(one, np.ndarray):
                check_image(one)
                yield Picture(Source("picture", str(number), ""), one)
                continue
            sources, errors = expand_inputs([str(one)])
            for error in errors:
                raise error
            for source in sources:
                self._finder.check(source)
                is_picture = source.kind == "picture"
                yield Picture(source, read_image(source.name)) if is_picture else source

    def _look_at_video(self, source: Source) -> Poses:
        rows = PoseRows(source, self._finder.predictor.skeleton)
        with (
            open_source(source, self._video) as frames,
            closing(watch(self._finder, self._video, source, frames)) as watched,
        ):
            for frame, seen in watched:
                rows.add(seen, frame.image, frame.index, frame.time)
        if not rows:
            raise UserError(frames.damage or f"{source.name} gives no frame")
        if frames.damage:
            warnings.warn(frames.damage, stacklevel=3)
        return finish(rows, self._video, self._lifter, frames.fps)
