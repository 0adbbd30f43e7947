"""`run.py demo`: render a clip, find its poses, compare them with what was rendered, and make
somebody else move like that."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from stacked_hourglass.pck import normalised_distances, pck
from stitched.dance import dance
from stitched.dance_options import DanceOptions
from stitched.demo_options import DemoOptions
from stitched.options import FilesOptions, PoseOptions
from stitched.pose import LoadPredictor, load_predictor
from stitched.pose import run as find_poses
from stitched.smoothing import smooth_both_ways
from utils.mannequin import MannequinOptions, MannequinPerson, render_clip
from utils.pose_file import read_poses
from utils.pose_metrics import hip_relative, mpjpe, p_mpjpe
from utils.skeletons import H36M_17, MPII_16
from utils.video import VideoWriter

FPS = 25
CLIP, DRAWN, DRAWN_3D, PAGE = (
    "mannequin.mp4",
    "mannequin_pose.mp4",
    "mannequin_3d.mp4",
    "mannequin_interactive.html",
)


def run(options: DemoOptions, load: LoadPredictor = load_predictor) -> int:
    """Write clip, drawn videos, page, pose files and a dance; print the errors. -> exit code.

    Raises UserError if the folder cannot be written or there are no weights.
    """
    folder = Path(options.output_dir)
    clip = folder / CLIP
    print(f"rendering {options.frames} frames of a moving mannequin")
    truth = _render(clip, options)
    print("looking for its pose, frame by frame")
    asked = PoseOptions(
        (str(clip),),
        output_dir=str(folder),
        load=options.load,
        files=FilesOptions(export="npz,json,bvh"),
    )
    code = find_poses(asked, load)
    poses = read_poses(folder / "poses.npz")
    seen = [truth[frame] for frame in poses.frame]
    assert poses.keypoints_3d is not None
    print(error_report(poses.keypoints_2d, np.stack([one.keypoints_2d_mpii for one in seen])))
    true_3d = np.stack([one.keypoints_3d_h36m for one in seen])
    print(error_report_3d(poses.keypoints_3d, true_3d))
    # Here, because its page needs much that the rest does not.
    from stitched.visualization.interactive import write_page

    write_page(poses, folder / PAGE, clip)
    print(f"watch {folder / DRAWN} and {folder / DRAWN_3D}; turn it round in {folder / PAGE}")
    if poses.found.any():
        print("drawing somebody else who moves like that")
        dancing = DanceOptions(str(clip), output_dir=str(folder / "dance"))
        dance(dancing, lambda _: smooth_both_ways(poses))
    return code


def _render(path: Path, options: DemoOptions) -> list[MannequinPerson]:
    """Write the clip; return who was drawn in each frame."""
    look = MannequinOptions(
        options.size, options.size, occluders=False, degradation=False, cropped=False
    )
    people = []
    with VideoWriter(path, options.size, options.size, FPS) as video:
        samples = render_clip(options.seed, options.frames, FPS, look)
        for sample in tqdm(samples, total=options.frames, unit="frame", disable=None, leave=False):
            video.write(sample.image)
            people.append(sample.people[0])
    return people


def error_report_3d(keypoints: np.ndarray, truth: np.ndarray) -> str:
    """One line on how far keypoints (N, 17, 3) are from the truth (N, 17, 3), both in mm.

    Both are taken from the hip. Of frames whose pose was not found nothing is said but their
    number: a missing joint has no place to measure from.
    """
    found = ~np.isnan(keypoints).any(axis=(1, 2))
    if not found.any():
        return "no pose was lifted to 3D"
    hip = H36M_17.index("hip")
    poses, true = hip_relative(keypoints[found], hip), hip_relative(truth[found], hip)
    missed = "" if found.all() else f"; {(~found).sum()} frames have none"
    return (
        f"in 3D joints are {mpjpe(poses, true):.0f} mm off in the mean (MPJPE), "
        f"{p_mpjpe(poses, true):.0f} mm once turned and scaled to fit (P-MPJPE){missed}"
    )


def error_report(keypoints: np.ndarray, truth: np.ndarray) -> str:
    """One line on how far keypoints (N, 16, 2) are from the truth (N, 16, 2), both in px.

    A joint that was not found counts as wrong in the share and does not enter the mean. The length
    of the head, from neck to top, is the median over the frames: it looks short from above.
    """
    top, neck = (truth[:, MPII_16.index(name)] for name in ("head_top", "upper_neck"))
    head = float(np.median(np.linalg.norm(top - neck, axis=-1)))
    distances = normalised_distances(keypoints, truth, np.full(len(truth), head))
    right = pck(distances, np.array([0.5])).mean()
    pixels = head * distances[np.isfinite(distances)]
    mean = f"{pixels.mean():.1f} px" if len(pixels) else "none found"
    return (
        f"{right:.1f} % of all joints are within half a head's length of the truth "
        f"({head / 2:.0f} px); mean distance {mean}"
    )
