"""Reading out the people of a data set, or of a folder of pictures, with a trained network."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stacked_hourglass.decoding import DECODERS, calibrated, peak_probability
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
    points: dict[str, Tensor]
    """decoder -> joints (N, J, 2) in px of the original pictures"""
    probability: Tensor
    """(N, J) mass of the map around its peak, before calibration"""
    visibility: Tensor | None
    """(N, J) probability that the joint is seen, if the network tells"""
    image_size: np.ndarray
    """(N, 2) width and height of the pictures"""
    failures: list[str]
    """why the other people could not be read, a line for each picture"""


def _batches(
    table: PersonTable, batch_size: int, failures: list[str]
) -> Iterator[tuple[np.ndarray, list[Picture]]]:
    """Rows and their pictures; what cannot be read goes to `failures`."""
    parts = np.array_split(np.arange(len(table)), -(-len(table) // batch_size))
    for part in tqdm(parts, desc="people", unit="batch", leave=False, disable=None):
        rows, pictures = [], []
        for row in part.tolist():
            try:
                pictures.append(table.read_picture(row))
                rows.append(row)
            except UserError as error:
                failures.append(str(error))
        if rows:
            yield np.array(rows), pictures


def read_people_joints(
    predictor: Predictor,
    table: PersonTable,
    decoders: tuple[str, ...],
    flip: bool,
    batch_size: int,
) -> Reading:
    """Joints of everybody in the table whose picture can be read, by each of the decoders.

    flip: average each crop with its mirror image. Raises UserError if no picture can be read.
    """
    points: dict[str, list[np.ndarray]] = {name: [] for name in decoders}
    kept, probabilities, visible, sizes, failures = [], [], [], [], []
    for rows, pictures in _batches(table, batch_size, failures):
        boxes, size = table.box[rows], predictor.resolution
        crops = np.stack([p.crop(box, size) for p, box in zip(pictures, boxes, strict=True)])
        crops = torch.from_numpy(crops).permute(0, 3, 1, 2)
        maps, seen = predictor.maps_and_visibility(crops, flip)
        for name in decoders:
            joints = from_heatmap(DECODERS[name](maps)).numpy()
            points[name].append(crop_to_image(joints, boxes, size))
        probabilities.append(peak_probability(maps))
        visible += [] if seen is None else [seen]
        sizes += [picture.size for picture in pictures]
        kept.append(rows)
    if not kept:
        raise UserError(f"none of the pictures of {table.name} can be read: {failures[0]}")
    return Reading(
        np.concatenate(kept),
        {name: torch.from_numpy(np.concatenate(parts)) for name, parts in points.items()},
        torch.cat(probabilities),
        torch.cat(visible) if visible else None,
        np.array(sizes),
        failures,
    )


def people_poses(reading: Reading, predictor: Predictor, table: PersonTable) -> Poses:
    """The pose file rows of the people that were read, by the predictor's own decoder."""
    rows = reading.rows
    confidence = calibrated(reading.probability, predictor.description.calibration)
    return Poses(
        source=np.array([table.picture_name(row) for row in rows.tolist()]),
        frame=np.zeros(len(rows), np.int64),
        time=np.full(len(rows), np.nan),
        person=table.annotation_id[rows],
        box=table.box[rows],
        image_size=reading.image_size,
        keypoints_2d=reading.points[predictor.description.decoder].numpy().astype(np.float32),
        confidence=confidence.numpy(),
        visibility=None if reading.visibility is None else reading.visibility.numpy(),
        skeleton_2d=predictor.skeleton,
    )
