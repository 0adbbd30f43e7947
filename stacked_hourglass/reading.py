"""Reading out the people of a data set, or of a folder of pictures, with a trained network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stacked_hourglass.decoding import DECODERS, calibrated, probability_around
from stacked_hourglass.films import reading_windows
from stacked_hourglass.joints import known_joints
from stacked_hourglass.multi_scale import Answer, look_at_scales
from stacked_hourglass.person_table import PersonTable, Picture
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.targets import from_heatmap
from utils.crops import crop_to_image
from utils.errors import UserError
from utils.pose_file import Poses


@dataclass(frozen=True)
class Reading:
    """What the network says of people of a table; N of them could be read."""

    rows: np.ndarray
    """(N,) their rows of the table"""
    box: np.ndarray
    """(N, 3) px, what was cut out to find them"""
    points: dict[str, Tensor]
    """decoder -> joints (N, J, 2) in px of the original pictures"""
    probability: dict[str, Tensor]
    """decoder -> (N, J) mass of the maps around these joints, before calibration"""
    visibility: Tensor | None
    """(N, J) probability that the joint is seen, if the network tells"""
    image_size: np.ndarray
    """(N, 2) width and height of the pictures"""
    failures: list[str]
    """why the other people could not be read, a line for each picture"""


class _Part(NamedTuple):
    """Rows that are looked at together, their pictures, and which of them this settles."""

    rows: np.ndarray
    pictures: list[Picture]
    settles: np.ndarray


def _parts(
    table: PersonTable, batch_size: int, predictor: Predictor, failures: list[str]
) -> Iterator[_Part]:
    """Batches of people, or windows of films for a network that looks at these; what cannot be read
    goes to `failures`."""
    if predictor.frames > 1:
        causal = predictor.description.architecture.attention == "causal"
        parts = reading_windows(table.film, predictor.frames, causal)
    else:
        batches = np.array_split(np.arange(len(table)), -(-len(table) // batch_size))
        parts = [(rows, np.ones(len(rows), bool)) for rows in batches]
    for rows, settles in tqdm(parts, desc="people", unit="batch", leave=False, disable=None):
        pictures: dict[int, Picture] = {}
        for place, row in enumerate(rows.tolist()):
            try:
                pictures[place] = table.read_picture(row)
            except UserError as error:
                if settles[place]:
                    failures.append(str(error))
        kept = list(pictures)
        if kept:
            yield _Part(rows[kept], list(pictures.values()), settles[kept])


def _look(
    predictor: Predictor, part: _Part, boxes: np.ndarray, flip: bool, scales: Sequence[float]
) -> Answer:
    def cut(places: np.ndarray) -> Tensor:
        pairs = zip(part.pictures, places, strict=True)
        crops = [picture.crop(box, predictor.resolution) for picture, box in pairs]
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)

    frames = len(boxes) if predictor.frames > 1 else 1
    look = partial(predictor.maps_and_visibility, flip=flip, frames=frames)
    return look_at_scales(look, cut, boxes, scales)


def read_people_joints(
    predictor: Predictor,
    table: PersonTable,
    decoders: tuple[str, ...],
    flip: bool,
    batch_size: int,
    scales: Sequence[float] = (1.0,),
) -> Reading:
    """Joints of everybody in the table whose picture can be read, by each of the decoders.

    flip: average each crop with its mirror image; scales: and boxes of these sizes, in their own.
    Raises UserError if no picture can be read.
    """
    points: dict[str, list[np.ndarray]] = {name: [] for name in decoders}
    probabilities: dict[str, list[Tensor]] = {name: [] for name in decoders}
    kept, cut, visible, sizes, failures = [], [], [], [], []
    for part in _parts(table, batch_size, predictor, failures):
        boxes, settled = table.box[part.rows], part.settles
        maps, seen = _look(predictor, part, boxes, flip, scales)
        maps, boxes = maps[settled], boxes[settled]
        for name in decoders:
            places = DECODERS[name](maps)
            joints = from_heatmap(places).numpy()
            points[name].append(crop_to_image(joints, boxes, predictor.resolution))
            probabilities[name].append(probability_around(maps, places))
        visible += [] if seen is None else [seen[settled]]
        sizes += [part.pictures[place].size for place in np.flatnonzero(settled)]
        kept.append(part.rows[settled])
        cut.append(boxes)
    if not kept:
        raise UserError(f"none of the pictures of {table.name} can be read: {failures[0]}")
    return Reading(
        np.concatenate(kept),
        np.concatenate(cut),
        {name: torch.from_numpy(np.concatenate(parts)) for name, parts in points.items()},
        {name: torch.cat(parts) for name, parts in probabilities.items()},
        torch.cat(visible) if visible else None,
        np.array(sizes),
        failures,
    )


def people_poses(reading: Reading, predictor: Predictor, table: PersonTable) -> Poses:
    """The pose file rows of the people that were read, by the predictor's own decoder."""
    rows, description = reading.rows, predictor.description
    found = known_joints(
        reading.points[description.decoder].numpy(),
        calibrated(reading.probability[description.decoder], description.calibration),
        reading.visibility,
        description,
    )
    return Poses(
        source=np.array([table.picture_name(row) for row in rows.tolist()]),
        frame=np.zeros(len(rows), np.int64),
        time=np.full(len(rows), np.nan),
        person=table.annotation_id[rows],
        box=reading.box,
        image_size=reading.image_size,
        keypoints_2d=found.keypoints,
        confidence=found.confidence,
        visibility=found.visibility,
        skeleton_2d=predictor.skeleton,
    )
