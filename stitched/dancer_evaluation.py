"""`eval.py skeleton_to_image`: dancers' scores, with our own 2D model to look for the person."""

import numpy as np

from generative_models.skeleton_to_image.evaluation import FindPoses
from generative_models.skeleton_to_image.evaluation import evaluate as score_dancers
from generative_models.skeleton_to_image.evaluation_options import SkeletonToImageEvalOptions
from stitched.options import MachineOptions
from stitched.person_finder import Predictor, look
from stitched.pose import load_predictor
from utils.crops import whole_image_box
from utils.skeleton_conversion import convert
from utils.skeletons import DANCE_13, skeleton_named

BATCH = 16


def evaluate(options: SkeletonToImageEvalOptions) -> int:
    """Score dancers; see generative_models.skeleton_to_image.evaluation. -> exit code 0."""
    if not options.pose_load:
        return score_dancers(options)
    load = "" if options.pose_load == "best" else options.pose_load
    machine = MachineOptions(accelerator=options.accelerator)
    return score_dancers(options, pose_finder(load_predictor(load, "best", machine)))


def pose_finder(predictor: Predictor) -> FindPoses:
    """Looks once at the whole of square pictures, (N, S, S, 3) -> joints (N, 13, 2) px."""

    def find(pictures: np.ndarray) -> np.ndarray:
        box = whole_image_box(pictures.shape[2], pictures.shape[1])
        joints = []
        for start in range(0, len(pictures), BATCH):
            images = list(pictures[start : start + BATCH])
            seen = look(predictor, images, np.tile(box, (len(images), 1)), flip=True)
            joints += [one.keypoints for one in seen]
        return convert(np.stack(joints), skeleton_named(predictor.skeleton), DANCE_13).poses

    return find
