"""How far other frames of a film tell where a hidden joint is: films of mannequins.

    python -m benchmarks.hidden_joints [--films 40] [--frames 8] [--fps 10]

Of the joints that something hides: how many are seen in another frame, and how many lie within a
fifth of the torso of where they are in the nearest such frame, or on the straight line between the
nearest ones before and after. Places are those in the person's box, as a network sees them. One
with attention over time has that to gain, and no more unless it knows how people move.
"""

import argparse

import numpy as np

from benchmarks.timing import print_rows
from stacked_hourglass.pck import torso_lengths
from utils.mannequin import MannequinOptions, render_clip
from utils.seeds import derive_seed
from utils.skeletons import MPII_16

SHARE_OF_TORSO = 0.2


def counts(seed: int, frames: int, fps: float) -> np.ndarray:
    """(4,) hidden joints of a film; of these seen elsewhere, near there, near the straight line."""
    look = MannequinOptions(96, 96, passing=True)
    people = [sample.people[0] for sample in render_clip(seed, frames, fps, look)]
    boxes = np.array([person.box for person in people])[:, None]
    places = np.array([person.keypoints_2d_mpii for person in people])
    places = (places - boxes[..., :2]) / boxes[..., 2:]
    is_seen = np.array([person.visibility_mpii for person in people]) == 1
    tolerance = SHARE_OF_TORSO * torso_lengths(places, MPII_16)
    found = np.zeros(4)
    for joint in range(len(MPII_16)):
        seen = np.flatnonzero(is_seen[:, joint])
        for frame in np.flatnonzero(~is_seen[:, joint]):
            found[0] += 1
            if not len(seen):
                continue
            true, path = places[frame, joint], places[seen, joint]
            copied = path[np.abs(seen - frame).argmin()]
            between = [np.interp(frame, seen, path[:, axis]) for axis in (0, 1)]
            errors = np.linalg.norm([copied - true, between - true], axis=-1)
            found[1:] += [1, *(errors <= tolerance[frame])]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=40)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--fps", type=float, default=10)
    chosen = parser.parse_args()
    seeds = [derive_seed("hidden joints", 0, film) for film in range(chosen.films)]
    films = [counts(seed, chosen.frames, chosen.fps) for seed in seeds]
    hidden, *parts = np.sum(films, axis=0)
    shares = (f"{100 * part / hidden:.0f} %" for part in parts)
    head = ("hidden joints", "seen elsewhere", "near there", "near the line")
    print_rows(f"{chosen.frames} frames", [head, (f"{hidden:.0f}", *shares)])


if __name__ == "__main__":
    main()
