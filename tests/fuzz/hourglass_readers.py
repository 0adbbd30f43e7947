"""Readers of people in pictures: annotations, training packs, scores, hourglass weights."""

import json
from collections.abc import Callable
from pathlib import Path

import torch

from stacked_hourglass.architecture import Architecture
from stacked_hourglass.coco import read_coco
from stacked_hourglass.custom import read_custom
from stacked_hourglass.description import Description
from stacked_hourglass.evaluation_files import (
    read_lsp_ground_truth,
    read_mpii_ground_truth,
    read_mpii_predictions,
)
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.mpii import read_mpii
from stacked_hourglass.mpii_matlab import convert_mpii
from stacked_hourglass.options import CustomOptions
from stacked_hourglass.pack import read_pack, write_pack
from stacked_hourglass.predictor import load_model
from stacked_hourglass.readers import read_lsp, read_lsp_extended
from stitched.boxes_file import BoxesFile
from tests.fuzz.forms import (
    AS_BYTES,
    AS_HDF5,
    AS_JSON,
    AS_MATLAB,
    AS_NPZ,
    AS_SAFETENSORS,
    AS_TEXT,
    AS_TORCH,
)
from tests.fuzz.readers import Reader
from tests.stacked_hourglass.fake_data import (
    coco_annotation,
    hrnet_record,
    mpii_matlab_person,
    pytorch_pose_record,
    write_coco,
    write_lsp,
    write_lsp_extended,
    write_mpii_matlab,
    write_picture,
)
from tests.stacked_hourglass.public_hourglass import random_state
from tests.stacked_hourglass.test_custom import write_animals
from tests.stacked_hourglass.test_evaluation import (
    mpii_people,
    write_lsp_truth,
    write_mpii_truth,
    write_preds,
)
from utils.weights import save_weights

Write = Callable[[Path], Path]


def _write_lsp(folder: Path) -> Path:
    write_lsp(folder)
    return folder / "joints.mat"


def _write_lsp_extended(folder: Path) -> Path:
    write_lsp_extended(folder)
    return folder / "joints.mat"


def _write_lsp_truth(folder: Path) -> Path:
    write_lsp_truth(folder, 1000)
    return folder / "joints.mat"


def _write_coco(folder: Path) -> Path:
    write_coco(folder, "train", [coco_annotation(n, 1) for n in range(3)])
    return folder / "annotations/person_keypoints_train2017.json"


def _write_animals(folder: Path) -> Path:
    return write_animals(folder, 3) / "annotations.json"


def _write_mpii(record: Callable[..., dict], name: str) -> Write:
    def write(folder: Path) -> Path:
        write_picture(folder / "images/a.jpg")
        (folder / name).write_text(json.dumps([record("a.jpg"), record("a.jpg")]))
        if name == "train.json":
            (folder / "valid.json").write_text(json.dumps([record("a.jpg")]))
        return folder / name

    return write


def _write_mpii_download(folder: Path) -> Path:
    joints = [{"id": float(j), "x": 20.0 + j, "y": 30.0 + j, "is_visible": 1.0} for j in range(16)]
    people = [mpii_matlab_person(joints), mpii_matlab_person(None)]
    path = folder / "mpii_human_pose_v1_u12_1.mat"
    write_mpii_matlab(path, [("a.jpg", 1, people), ("b.jpg", 0, [])])
    return path


def _write_truth(folder: Path) -> Path:
    return write_mpii_truth(folder, mpii_people())


def _write_truth_names(folder: Path) -> Path:
    return _write_truth(folder).parent / "valid.h5"


def _read_truth_names(path: Path) -> None:
    read_mpii_ground_truth(path.parent / "detections_our_format.mat")


def _write_predictions(folder: Path) -> Path:
    _write_truth(folder)
    write_preds(folder / "preds.mat", mpii_people())
    return folder / "preds.mat"


def _read_predictions(path: Path) -> None:
    truth = read_mpii_ground_truth(path.parent / "detections_our_format.mat")
    read_mpii_predictions(path, truth)


def _write_pack(folder: Path) -> Path:
    write_lsp(folder / "lsp")
    write_pack(folder / "a.pack", read_lsp(folder / "lsp"), 48)
    return folder / "a.pack"


def _read_pack(path: Path) -> None:
    table = read_pack(path)
    for row in range(len(table)):
        table.read_picture(row)


def _write_boxes(folder: Path) -> Path:
    (folder / "a.csv").write_text(
        "source,frame,cx,cy,side,person\na.mp4,0,5,6,7,1\na.mp4,1,5,6,7,1\n"
    )
    return folder / "a.csv"


def _write_weights(folder: Path) -> Path:
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    shape = Architecture(1, 8)
    description = Description(shape, 64, "cross_entropy", "dark", mean, std)
    path = folder / "a.safetensors"
    save_weights(path, StackedHourglass(shape).state_dict(), description.as_metadata())
    return path


def _write_public(folder: Path) -> Path:
    torch.save({"state_dict": random_state(1, 1, 4), "epoch": 3}, folder / "a.pth.tar")
    return folder / "a.pth.tar"


def _load(path: Path) -> None:
    load_model(str(path))


READERS = {
    "lsp": Reader(_write_lsp, lambda path: read_lsp(path.parent), (AS_MATLAB,)),
    "lsp extended": Reader(
        _write_lsp_extended, lambda path: read_lsp_extended(path.parent), (AS_MATLAB,)
    ),
    "lsp truth": Reader(
        _write_lsp_truth, lambda path: read_lsp_ground_truth(path.parent, "val"), (AS_MATLAB,)
    ),
    "coco": Reader(_write_coco, lambda path: read_coco(path.parents[1]), (AS_TEXT, AS_JSON)),
    "custom": Reader(
        _write_animals, lambda path: read_custom(path.parent, CustomOptions()), (AS_JSON,)
    ),
    "mpii, hrnet": Reader(
        _write_mpii(hrnet_record, "train.json"), lambda path: read_mpii(path.parent), (AS_JSON,)
    ),
    "mpii, pytorch-pose": Reader(
        _write_mpii(pytorch_pose_record, "mpii_annotations.json"),
        lambda path: read_mpii(path.parent),
        (AS_JSON,),
    ),
    "mpii download": Reader(
        _write_mpii_download, lambda path: convert_mpii(path, None), (AS_BYTES, AS_MATLAB)
    ),
    "mpii truth": Reader(_write_truth, read_mpii_ground_truth, (AS_MATLAB,)),
    "mpii list": Reader(_write_truth_names, _read_truth_names, (AS_BYTES, AS_HDF5)),
    "mpii predictions": Reader(_write_predictions, _read_predictions, (AS_MATLAB,)),
    "training pack": Reader(_write_pack, _read_pack, (AS_BYTES, AS_NPZ)),
    "boxes": Reader(_write_boxes, lambda path: BoxesFile(str(path)), (AS_TEXT,)),
    "hourglass weights": Reader(_write_weights, _load, (AS_BYTES, AS_SAFETENSORS)),
    "public hourglass": Reader(_write_public, _load, (AS_TORCH,)),
}
