"""From a data set to batches of crops: what training and evaluation read people through."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from stacked_hourglass.augmentation import CROP_MARGIN
from stacked_hourglass.coco import read_coco
from stacked_hourglass.humaneva import read_humaneva
from stacked_hourglass.mpii import read_mpii
from stacked_hourglass.pack import PACK_SUFFIX, read_pack
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.readers import read_lsp, read_lsp_extended
from utils.crops import image_to_crop
from utils.errors import UserError

READERS: dict[str, Callable[[Path], PersonTable]] = {
    "lsp": read_lsp,
    "lspet": read_lsp_extended,
    "mpii": read_mpii,
    "coco": read_coco,
    "eva": read_humaneva,
}


def read_people(data_set: str, data_dir: str | Path) -> PersonTable:
    """All people of a data set: from its folder, or from a training pack in its place.

    Raises UserError if the data set is unknown, absent or damaged.
    """
    path = Path(data_dir)
    if path.suffix == PACK_SUFFIX:
        return read_pack(path)
    if data_set == "people":
        raise UserError(
            f"{path} is neither a training pack (*{PACK_SUFFIX}) nor, for run.py, a folder with "
            "pictures"
        )
    if data_set not in READERS:
        raise UserError(f"unknown data set {data_set}: known are {', '.join(READERS)}")
    return READERS[data_set](path)


def crop_size(resolution: int) -> int:
    """Side in px of the crop that a network input of `resolution` px is sampled from.

    Odd where that is odd: else each pixel of an input that is not turned would be the mean of four.
    """
    size = round(CROP_MARGIN * resolution)
    return size + (size - resolution) % 2


class PeopleDataset(Dataset):
    """Crops of the people of a table, each cut CROP_MARGIN times larger than the person's box."""

    def __init__(self, table: PersonTable, resolution: int) -> None:
        self.table, self.size = table, crop_size(resolution)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, row: int) -> dict[str, Any]:
        """One person.

        image: uint8 RGB (S, S, 3), S = crop_size(resolution), black where nothing is known
        keypoints: (16, 2) crop px; NaN where missing, and where the picture does not show the place
        visibility: (16,) 1 seen, 0 hidden, NaN missing or not told
        box, head_box: (3,) and (4,) px of the original picture; keypoints_image: (16, 2) likewise,
        with the places outside the picture; row: its number in the table
        Raises UserError if the picture cannot be read.
        """
        table = self.table
        picture = table.read_picture(row)
        places, box = table.keypoints[row], table.box[row]
        wide = box * np.array([1, 1, CROP_MARGIN], np.float32)
        keypoints = image_to_crop(places, wide, self.size).astype(np.float32)
        keypoints[~picture.contains(places)] = np.nan
        return {
            "image": picture.crop(wide, self.size),
            "keypoints": keypoints,
            "visibility": table.visibility[row],
            "box": box,
            "head_box": table.head_box[row],
            "keypoints_image": places,
            "row": row,
        }


def collate(items: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    """Items of `PeopleDataset` -> tensors with the batch in front.

    image becomes (B, 3, S, S) uint8 in channels_last memory, which costs no copy.
    """
    batch = {name: torch.from_numpy(np.stack([i[name] for i in items])) for name in items[0]}
    batch["image"] = batch["image"].permute(0, 3, 1, 2)
    return batch
