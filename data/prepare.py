"""Make official downloads ready for training: `python data/prepare.py SUBCOMMAND --help`.

`mpii`, `mocap` and `h36m` convert, `h36m_images` and `humaneva` cut pictures from videos, `lsp` and
`coco` check (their downloads are read as they are), `dancer` takes a person from a video, `pack`
puts data sets of pictures into one small file for a small or a lent machine.
"""

import json
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from tqdm import tqdm

# A script's own folder is on the path, the repository that holds this one is not.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    from utils.threads import limit_spinning

    limit_spinning()  # before the following, which import torch

from data.dancer import DancerVideoOptions, prepare_dancer
from data.h36m import H36mOptions, prepare_h36m
from data.h36m_images import H36mImagesOptions, prepare_h36m_images
from data.humaneva import HumanEvaOptions, prepare_humaneva
from data.mannequin_poses import MannequinPosesOptions, prepare_mannequin
from data.mocap_folder import MocapOptions, prepare_mocap
from stacked_hourglass.data import read_people
from stacked_hourglass.label_noise import mend
from stacked_hourglass.mpii import ANNOTATIONS, has_annotations
from stacked_hourglass.mpii_matlab import convert_mpii, read_validation_people
from stacked_hourglass.pack import write_pack
from stacked_hourglass.person_table import PersonTable, mix
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.sources import ORIGINS, AbsentError, default_folder
from utils.atomic import atomic_path
from utils.command_line import Options, run_script
from utils.errors import UserError
from utils.option_checks import at_least_one

MATLAB_FILE = "mpii_human_pose_v1_u12_1.mat"


@dataclass
class MpiiOptions:
    """Convert MPII's annotations to mpii_annotations.json; without them, check those of another
    layout."""

    data_dir: Path = Path("data/mpii")
    """Folder with images/; the result goes there."""
    annotations: Path | None = None
    """The official mpii_human_pose_v1_u12_1.mat; by default looked for in --data_dir."""
    validation_list: Path | None = None
    """valid.h5 or HRNet's valid.json, which name the 2,958 people that published figures validate
    on. Without it every tenth picture validates, and scores are not comparable."""


@dataclass
class LspOptions:
    """Check a copy of Leeds Sports Pose."""

    data_dir: Path = Path("data/lsp")
    """Folder with joints.mat and images/."""
    extended: bool = False
    """The folder holds LSP extended."""


@dataclass
class CocoOptions:
    """Check a copy of COCO's keypoints."""

    data_dir: Path = Path("data/coco")
    """Folder with annotations/, train2017/ and val2017/."""


@dataclass
class PackOptions:
    """Put the people of data sets into one training pack."""

    sources: tuple[str, ...]
    """Data sets: lsp, lspet, mpii, coco, eva (in data/humaneva); or name=folder where one is not in
    data/<name>."""
    output: Path = Path("data/people.pack")
    """The file to write; it goes where --data_dir asks for a data set."""
    size: int = 192
    """Side of a person's box in the pack, in pixels at most; nothing is enlarged. Train at this
    resolution or below."""
    quality: int = 32
    """Of the WebP pictures, 1 to 100. 32 keeps LSP and LSP extended at 192 px within 30 MB."""
    margin: float = 1.8
    """Side of what is kept over the side of the person's box: 1.8 is what turning and scaling in
    training can show."""
    splits: tuple[Literal["train", "val", "test"], ...] = ("train", "val", "test")
    """Which parts of the data sets."""
    mend_with: str = ""
    """A hourglass, shipped or of one's own, that looks at everybody who trains: arms and legs that
    it is sure are annotated the wrong way round are exchanged, joints that it is sure are elsewhere
    are left out."""

    def __post_init__(self) -> None:
        if not self.sources:
            raise UserError("--sources: name at least one data set")
        if self.size < 16:
            raise UserError(f"--size must be at least 16, not {self.size}")
        if not 1 <= self.quality <= 100:
            raise UserError(f"--quality must lie in 1 to 100, not {self.quality}")
        at_least_one(margin=self.margin)


def prepare_mpii(options: MpiiOptions) -> int:
    """Write mpii_annotations.json, then check. -> exit code: 1 if a picture is amiss."""
    source = options.annotations or options.data_dir / MATLAB_FILE
    if not source.is_file():
        if options == MpiiOptions(options.data_dir) and has_annotations(options.data_dir):
            return check("mpii", options.data_dir)
        origin = ORIGINS["mpii"]
        raise UserError(
            f"{origin.title} is not in {options.data_dir}: there is no {source}; get it, and "
            f"images/, from {origin.where} (--data_dir and --annotations name other places)"
        )
    chosen = options.validation_list
    records, skipped = convert_mpii(source, read_validation_people(chosen) if chosen else None)
    if not records:
        raise UserError(f"{source} has nobody with joints and a box")
    with atomic_path(options.data_dir / ANNOTATIONS) as temporary:
        temporary.write_text(json.dumps(records))
    print(f"{options.data_dir / ANNOTATIONS}: {len(records)} people")
    for reason, count in skipped.items():
        print(f"{count} people left out: {reason}")
    return check("mpii", options.data_dir)


def prepare_lsp(options: LspOptions) -> int:
    """Check LSP or LSP extended. -> exit code: 1 if a picture is amiss."""
    return check("lspet" if options.extended else "lsp", options.data_dir)


def prepare_coco(options: CocoOptions) -> int:
    """Check COCO. -> exit code: 1 if a picture is amiss."""
    return check("coco", options.data_dir)


def check(data_set: str, folder: Path) -> int:
    """Read all annotations and decode every picture; print what is there and what is amiss.

    -> exit code: 1 if a picture is missing or cannot be read.
    """
    table = read_people(data_set, folder)
    _, rows = np.unique(table.picture, return_index=True)
    with ThreadPoolExecutor() as pool:
        results = list(_progress(len(rows))(pool.map(partial(_look_at, table), rows.tolist())))
    failures = [result for result in results if isinstance(result, str)]
    for line in (*table.skipped_lines(), *failures):
        print(line)
    outside = sum(result for result in results if isinstance(result, int))
    if outside:
        print(f"{outside} joints lie outside their picture: they are not trained on")
    print(summary(table))
    return 1 if failures or "picture missing" in table.skipped else 0


def _look_at(table: PersonTable, row: int) -> int | str:
    """How many joints lie outside the picture of this row, or why it cannot be read."""
    try:
        picture = table.read_picture(row)
    except UserError as error:
        return str(error)
    same = table.picture == table.picture[row]
    points = table.keypoints[same]
    return int((~picture.contains(points) & np.isfinite(points[..., 0])).sum())


def _progress(count: int):
    def wrap(items: Iterable) -> Iterable:
        return tqdm(items, "pictures", count, leave=False, disable=None)

    return wrap


def summary(table: PersonTable) -> str:
    """One line: people of each split."""
    counts = {split: int((table.split == split).sum()) for split in ("train", "val", "test")}
    parts = ", ".join(f"{split} {count}" for split, count in counts.items() if count)
    return f"{table.name}: {len(table)} people ({parts})"


def _read_source(name: str, folder: str) -> PersonTable:
    try:
        return read_people(name, folder)
    except AbsentError as error:
        raise UserError(error.and_prepare) from error


def pack(options: PackOptions) -> int:
    """Write a training pack. -> exit code: 1 if a picture is amiss."""
    tables = []
    for source in options.sources:
        name, _, folder = source.partition("=")
        table = _read_source(name, folder or default_folder(name))
        chosen = [split for split in options.splits if split in table.split]
        if not chosen:
            raise UserError(f"{name} has nobody in {'+'.join(options.splits)}")
        tables.append(table.of_split(*chosen))
    table = mix(tables)
    if options.mend_with:
        done = mend(table, Predictor.load(options.mend_with))
        print(done.line())
        table = done.table
    progress = _progress(len(table))
    packed = write_pack(
        options.output, table, options.size, options.quality, options.margin, progress
    )
    for line in (*table.skipped_lines(), *packed.skipped_lines()):
        print(line)
    print(summary(packed))
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.1f} MB")
    return 1 if packed.skipped or "picture missing" in table.skipped else 0


SUBCOMMANDS = {
    "mpii": Options("Convert MPII's official annotations.", MpiiOptions),
    "lsp": Options("Check Leeds Sports Pose, or LSP extended.", LspOptions),
    "coco": Options("Check COCO keypoints.", CocoOptions),
    "h36m": Options("Convert Human3.6M, in any of its layouts, to one file.", H36mOptions),
    "h36m_images": Options("Cut pictures from Human3.6M's videos.", H36mImagesOptions),
    "humaneva": Options("Cut pictures and joints from HumanEva-I's films.", HumanEvaOptions),
    "mocap": Options("Put a folder of motion capture into one motion store.", MocapOptions),
    "mannequin": Options("Put poses of mannequins into a motion store.", MannequinPosesOptions),
    "dancer": Options("Make a dancer's frames and poses from a video.", DancerVideoOptions),
    "pack": Options("Put data sets into one small file.", PackOptions),
}
FUNCTIONS = {
    "mpii": prepare_mpii,
    "lsp": prepare_lsp,
    "coco": prepare_coco,
    "h36m": prepare_h36m,
    "h36m_images": prepare_h36m_images,
    "humaneva": prepare_humaneva,
    "mocap": prepare_mocap,
    "mannequin": prepare_mannequin,
    "dancer": prepare_dancer,
    "pack": pack,
}


def main(arguments: list[str]) -> int:
    """Run one subcommand -> exit code."""
    return run_script("data/prepare.py", "Prepare data sets.", SUBCOMMANDS, FUNCTIONS, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
