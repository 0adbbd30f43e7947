"""Readers of the generative models: a dancer's landmarks, Mixamo's clips, weights."""

import shutil
from pathlib import Path

import numpy as np

from generative_models.motion_transfer.description import load_network
from generative_models.motion_transfer.model import TransferNetwork
from generative_models.motion_transfer.motion import read_mixamo
from generative_models.pose_gan.predictor import load_pose_model
from generative_models.skeleton_to_image.dancer_readers import read_landmarks
from generative_models.skeleton_to_image.inference import Dancer
from tests.fuzz.forms import AS_BYTES, AS_NPY, AS_NPZ, AS_SAFETENSORS
from tests.fuzz.readers import Reader
from tests.generative_models.motion_transfer.moving import description
from utils.weights import PRETRAINED, save_weights


def _write_landmarks(folder: Path) -> Path:
    landmarks = np.random.default_rng(0).uniform(0, 1, (4, 33, 2))
    np.savez(folder / "landmarks.npz", landmarks=landmarks, frame_index=np.arange(4))
    return folder / "landmarks.npz"


def _write_mixamo(folder: Path) -> Path:
    path = folder / "Ann/Walk/Walk.npy"
    path.parent.mkdir(parents=True)
    np.save(path, np.random.default_rng(0).uniform(-1, 1, (15, 3, 20)))
    return path


def _write_transfer(folder: Path) -> Path:
    one = description()
    weights = TransferNetwork(one.architecture).state_dict()
    named = {f"network.{name}": tensor for name, tensor in weights.items()}
    save_weights(folder / "a.safetensors", named, one.as_metadata())
    return folder / "a.safetensors"


def _write_shipped(name: str, folder: Path) -> Path:
    return Path(shutil.copy(PRETRAINED / f"{name}.safetensors", folder / "a.safetensors"))


READERS = {
    "landmarks": Reader(_write_landmarks, read_landmarks, (AS_BYTES, AS_NPZ)),
    "mixamo": Reader(_write_mixamo, lambda path: read_mixamo(path.parents[2]), (AS_BYTES, AS_NPY)),
    "motion transfer": Reader(
        _write_transfer, lambda path: load_network(str(path)), (AS_SAFETENSORS,)
    ),
    "pose gan": Reader(
        lambda folder: _write_shipped("pose_gan", folder),
        lambda path: load_pose_model(str(path), "cpu"),
        (AS_SAFETENSORS,),
    ),
    "dancer": Reader(
        lambda folder: _write_shipped("dancer", folder),
        lambda path: Dancer.load(str(path), "cpu"),
        (AS_SAFETENSORS,),
    ),
}
