"""MediaPipe Pose on LSP's test pictures, and ours on the same: twelve limb joints, pictures/s.

    OTHER/bin/python benchmarks/mediapipe_pose.py --data_dir data/lsp --output mediapipe.npz
    python -m benchmarks.mediapipe_pose --data_dir data/lsp --found mediapipe.npz

OTHER is an environment of its own with mediapipe==0.10.14, which needs older libraries than ours
and carries the weights of its middle model. It looks at each picture afresh, as `run.py pose` does
at pictures. LSP's neck and top of the head MediaPipe does not know, so that they are left out; a
picture in which it finds nobody has twelve wrong joints.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

FIRST, LAST = 1001, 1500


def picture_paths(folder: Path) -> list[Path]:
    """LSP's test pictures."""
    return [folder / f"images/im{number:04d}.jpg" for number in range(FIRST, LAST + 1)]


def find(folder: Path, output: Path) -> None:
    """Write MediaPipe's landmarks (500, 33, 2), px, and how many pictures it does in a second."""
    # It is not there in the environment that scores.
    import mediapipe  # pyright: ignore[reportMissingImports]

    found = np.full((LAST - FIRST + 1, 33, 2), np.nan)
    images = [cv2.cvtColor(cv2.imread(str(p)), cv2.COLOR_BGR2RGB) for p in picture_paths(folder)]  # pyright: ignore
    with mediapipe.solutions.pose.Pose(static_image_mode=True, model_complexity=1) as pose:
        pose.process(images[0])
        begin = time.perf_counter()
        for row, image in enumerate(images):
            landmarks = pose.process(image).pose_landmarks
            if landmarks is not None:
                size = np.array(image.shape[1::-1])
                places = np.array([(one.x, one.y) for one in landmarks.landmark])
                found[row] = places * size - 0.5
        took = time.perf_counter() - begin
    np.savez(output, landmarks=found, pictures_a_second=len(images) / took)


def ours(folder: Path, mode: str, backend: str) -> tuple[np.ndarray, list[str], float]:
    """Joints (500, J, 2) px by `run.py pose`, their names, and pictures a second."""
    from stitched.options import LiftOptions, MachineOptions
    from stitched.pipeline import PosePipeline
    from utils.skeletons import skeleton_named

    machine: Any = MachineOptions(backend=backend)  # pyright: ignore[reportArgumentType]
    pipeline = PosePipeline(mode=mode, lifting=LiftOptions(lift=False), machine=machine)
    paths = picture_paths(folder)
    pipeline(paths[0])
    begin = time.perf_counter()
    poses = pipeline(paths)
    took = time.perf_counter() - begin
    assert poses.keypoints_2d is not None
    joints = skeleton_named(poses.skeleton_2d).joints
    return poses.keypoints_2d, list(joints), len(paths) / took


def score(folder: Path, found: Path, modes: list[str], backends: list[str]) -> None:
    """Print both in a table."""
    from benchmarks.timing import machine, print_rows
    from stacked_hourglass.evaluation_files import SCORED, read_lsp_ground_truth
    from stacked_hourglass.pck import joint_mean, normalised_distances, pck
    from utils.array_files import load_arrays
    from utils.skeletons import BLAZEPOSE_33

    truth = read_lsp_ground_truth(folder, "test")
    limbs = [joint for joint in SCORED.joints if joint in BLAZEPOSE_33.joints]
    columns = list(SCORED.indices(*limbs))

    def row(name: str, points: np.ndarray, joints: list[str], rate: float) -> tuple[str, ...]:
        places = points[:, [joints.index(limb) for limb in limbs]]
        distances = normalised_distances(places, truth.joints[:, columns], truth.lengths)
        scores = pck(distances, np.array([0.2]))[0]
        each = (f"{one:.1f}" for one in (joint_mean(scores), *scores))
        return name, f"{rate:.1f}", *each

    theirs = load_arrays(found, "file of benchmarks.mediapipe_pose")
    rate = float(theirs["pictures_a_second"])
    rows = [row("MediaPipe 0.10.14", theirs["landmarks"], list(BLAZEPOSE_33.joints), rate)]
    for mode in modes:
        for backend in backends:
            rows.append(row(f"{mode}, {backend}", *ours(folder, mode, backend)))
    print(machine())
    print_rows("LSP 1001-1500", [("", "pictures/s", "PCK@0.2", *limbs), *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_dir", type=Path, default=Path("data/lsp"), help="folder of LSP")
    parser.add_argument("--output", type=Path, help="look with MediaPipe, and write this file")
    parser.add_argument("--found", type=Path, help="such a file, to score")
    parser.add_argument("--modes", nargs="+", default=["lightweight"], help="of run.py pose")
    parser.add_argument("--backends", nargs="+", default=["torch", "onnx"])
    chosen = parser.parse_args()
    if chosen.output:
        find(chosen.data_dir, chosen.output)
    if chosen.found:
        score(chosen.data_dir, chosen.found, chosen.modes, chosen.backends)


if __name__ == "__main__":
    main()
