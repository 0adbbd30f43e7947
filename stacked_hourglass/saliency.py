"""What an hourglass looks at: `viz.py saliency_and_prob_maps` and `..._with_skeleton`.

The saliency of a joint is the gradient of one number f, made of the last stack's raw scores of
that joint, by the pixels x of the network's input, summed over the colours c:
S(h, w) = sum_c |df / dx_c(h, w)| (Simonyan, Vedaldi, Zisserman, "Deep inside convolutional
networks", 2013, section 3, who take the largest over c). f is the sum of the scores, or the largest
of them, that of the peak. Every joint has a row.
"""

import os
import sys
from collections import Counter
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stacked_hourglass.predictor import Predictor
from stacked_hourglass.saliency_options import Reduction, SaliencyOptions
from stacked_hourglass.visualization import find_pictures
from utils.crops import cut_crop, whole_image_box
from utils.drawing import draw_label, draw_pose
from utils.errors import UserError, need
from utils.images import list_images, read_image, write_image
from utils.pose_json import read_pose_file
from utils.skeletons import skeleton_named

PANEL = 256
"""px, side of the square panels."""
_HEADER = 28  # px above the rows, for titles
_TEXT = 12  # px, height of capitals


def draw_saliency_with_skeleton(options: SaliencyOptions) -> int:
    """`draw_saliency`, with the whole picture and its pose in front."""
    return draw_saliency(options, with_skeleton=True)


def draw_saliency(options: SaliencyOptions, with_skeleton: bool = False) -> int:
    """Draw the chosen pictures: for each joint the crop, the probability of its place, saliency,
    and saliency on the crop; with a skeleton, the whole picture and its pose in front of them.

    Returns the exit code: 1 if a picture could not be drawn (it is named on stderr), else 0. Raises
    UserError for a folder, weights or poses that are absent, and if nothing could be drawn.
    """
    paths = _chosen(options)
    stems = Counter(path.with_suffix("") for path in paths)
    boxes = _boxes(options)
    predictor = Predictor.load(options.load, options.accelerator, "32-true")
    predictor.model.requires_grad_(False)
    problems: list[str] = []
    for path in tqdm(paths, unit="picture", disable=None, leave=False):
        try:
            image = read_image(path)
            box = _box(path.relative_to(options.img_dir), image, boxes)
        except UserError as error:
            problems.append(str(error))
            continue
        for reduction in options.saliency:
            sheet = draw_sheet(predictor, image, box, reduction, with_skeleton)
            place = options.output_dir / path.relative_to(options.img_dir)
            kind = "skeleton_" * with_skeleton + reduction
            is_only = stems[path.with_suffix("")] == 1
            name = place.stem if is_only else place.name.replace(".", "_")
            write_image(place.with_name(f"{name}_{kind}.png"), sheet)
    if len(problems) == len(paths):
        raise UserError(problems[0])
    for problem in problems:
        print(f"skipped: {problem}", file=sys.stderr)
    drawn, kinds = len(paths) - len(problems), ", ".join(options.saliency)
    pictures = "picture" if drawn == 1 else "pictures"
    print(f"drew the saliency of {drawn} {pictures} ({kinds}), in {options.output_dir}")
    return int(bool(problems))


def _chosen(options: SaliencyOptions) -> list[Path]:
    if not options.images:
        return list_images(options.img_dir)[: options.count]
    folder = Path(os.path.abspath(options.img_dir))
    paths = [Path(os.path.abspath(folder / name)) for name in options.images]
    for path in paths:
        need(path.is_relative_to(folder), f"--images: {path} is not in {options.img_dir}")
    return [options.img_dir / path.relative_to(folder) for path in paths]


def _boxes(options: SaliencyOptions) -> dict[Path, np.ndarray] | None:
    """Box (3,) of the first person of each picture, by its place; None for whole pictures."""
    if options.twod_pose_estimations is None:
        return None
    poses = read_pose_file(options.twod_pose_estimations)
    sources = list(dict.fromkeys(poses.source.tolist()))
    places, _ = find_pictures(sources, options.img_dir)
    return {place: poses.box[poses.source == source][0] for source, place in places.items()}


def _box(place: Path, image: np.ndarray, boxes: dict[Path, np.ndarray] | None) -> np.ndarray:
    if boxes is None:
        return whole_image_box(image.shape[1], image.shape[0])
    if place not in boxes or not np.isfinite(boxes[place]).all():
        raise UserError(f"--2d_pose_estimations has no box of {place}")
    return boxes[place]


def draw_sheet(
    predictor: Predictor,
    image: np.ndarray,
    box: np.ndarray,
    reduction: Reduction,
    with_skeleton: bool = False,
) -> np.ndarray:
    """A picture with a row for each joint, of the person in `box` (3,) px of a picture (H, W, 3).

    Each map is drawn from its smallest to its largest value.
    """
    crop = cut_crop(image, box, predictor.resolution)
    scores, saliency = saliency_maps(predictor, crop, reduction)
    skeleton = skeleton_named(predictor.skeleton)
    keypoints, confidence, _ = predictor([image], box[None], flip=False)
    whole = draw_pose(image, keypoints[0], confidence[0], skeleton)
    rows = []
    for joint, name in enumerate(skeleton.joints):
        label = f"{name.replace('_', ' ')} {confidence[0, joint]:.2f}"
        panels = _panels(crop, scores[joint], saliency[joint])
        panels[0] = draw_label(panels[0], label, height=_TEXT)
        if with_skeleton:
            panels.insert(0, _marked(whole, keypoints[0, joint]))
        rows.append(np.concatenate(panels, axis=1))
    titles = ["crop", "probability", f"saliency of the {reduction}", "saliency on the crop"]
    left = rows[0].shape[1] - len(titles) * PANEL
    header = np.zeros((_HEADER, rows[0].shape[1], 3), np.uint8)
    for number, title in enumerate(titles):
        header = draw_label(header, title, (left + number * PANEL + 4, 4), _TEXT)
    return np.concatenate([header, *rows])


def saliency_maps(
    predictor: Predictor, crop: np.ndarray, reduction: Reduction
) -> tuple[np.ndarray, np.ndarray]:
    """Of a crop (R, R, 3) uint8: the last stack's raw scores (J, R / 4, R / 4), and the saliency
    S (J, R, R) of each joint, per unit of the normalised input."""
    description = predictor.description
    pixels = torch.from_numpy(crop).permute(2, 0, 1)[None].to(predictor.device).float() / 255
    mean, std = (pixels.new_tensor(v).view(1, 3, 1, 1) for v in (description.mean, description.std))
    inputs = ((pixels - mean) / std).requires_grad_()
    scores: Tensor = predictor.model(inputs)[-1][0]
    values = scores.flatten(1).sum(1) if reduction == "sum" else scores.flatten(1).amax(1)
    maps = [
        torch.autograd.grad(value, inputs, retain_graph=True)[0][0].abs().sum(0) for value in values
    ]
    return scores.detach().cpu().numpy(), torch.stack(maps).cpu().numpy()


def _panels(crop: np.ndarray, scores: np.ndarray, saliency: np.ndarray) -> list[np.ndarray]:
    """Four panels (PANEL, PANEL, 3) of one joint."""
    picture = _scaled(crop, cv2.INTER_LINEAR)
    share = (saliency / max(float(saliency.max()), 1e-12)).astype(np.float32)
    red = 0.25 * picture + 0.75 * 255 * _scaled(share)[..., None] * np.array([1.0, 0, 0])
    return [
        picture,
        coloured(_scaled(softmax(scores)), "RdBu_r"),
        # Of the share: gradients of logits are so large that one pixel would have it all.
        coloured(_scaled(softmax(share)), "hot"),
        np.rint(red).astype(np.uint8),
    ]


def _scaled(image: np.ndarray, method: int = cv2.INTER_NEAREST) -> np.ndarray:
    return np.asarray(cv2.resize(image, (PANEL, PANEL), interpolation=method))


def softmax(values: np.ndarray) -> np.ndarray:
    """exp(v) / sum exp(v) over all of an array, of the same shape, float64."""
    powers = np.exp(values.astype(np.float64) - values.max())
    return powers / powers.sum()


def coloured(values: np.ndarray, name: str) -> np.ndarray:
    """Values (H, W), from the smallest to the largest, in a colour map of matplotlib: (H, W, 3)."""
    low, high = float(values.min()), float(values.max())
    colours = matplotlib.colormaps[name](np.linspace(0, 1, 256))[:, :3]
    levels = np.rint((values - low) / max(high - low, 1e-300) * 255).astype(int)
    return np.rint(255 * colours).astype(np.uint8)[levels]


def _marked(whole: np.ndarray, place: np.ndarray) -> np.ndarray:
    """A picture with a ring about a place (2,) px, if it is known, PANEL px high."""
    scale = PANEL / whole.shape[0]
    width = max(round(whole.shape[1] * scale), 1)
    small = np.array(cv2.resize(whole, (width, PANEL), interpolation=cv2.INTER_AREA))
    if not np.isfinite(place).all():
        return small
    x, y = np.rint((place + 0.5) * scale - 0.5).astype(int).tolist()
    for colour, thickness in (((20, 20, 20), 4), ((255, 255, 255), 2)):
        cv2.circle(small, (x, y), 10, colour, thickness, cv2.LINE_AA)
    return small
