"""What attention over the frames of a film finds that single frames do not: films of mannequins.

    python -m benchmarks.attention_over_time RUN RUN [--films 200]

RUN is the folder of a training of `hourglass_mannequin_video`, with --add_attention or without.
Both read the same films, which none has seen. Scores of joints that are seen and that something
hides: PCK@0.2 of the torso, PCKh@0.5 of the head (neck to top).
"""

import argparse

import numpy as np

from benchmarks.timing import print_rows
from stacked_hourglass.mannequin_films import mannequin_films
from stacked_hourglass.pck import normalised_distances, torso_lengths
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.reading import read_people_joints
from utils.skeletons import MPII_16

SEED, FRAMES, BATCH = 5_000_011, 8, 32
SHARE_OF_TORSO, SHARE_OF_HEAD = 0.2, 0.5
PARTS = ("all", "seen", "hidden")
# Heads that are seen from above are short in the picture, and nobody would be near enough.
SHORTEST_HEAD = 0.25
"""Of the torso."""


def lengths(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tolerances (N,) px by torso and by head of joints (N, 16, 2) px."""
    torso = torso_lengths(places, MPII_16)
    neck, top = (places[:, MPII_16.index(joint)] for joint in ("upper_neck", "head_top"))
    head = np.maximum(np.linalg.norm(top - neck, axis=-1), SHORTEST_HEAD * torso)
    return SHARE_OF_TORSO * torso, SHARE_OF_HEAD * head


def scores(predictor: Predictor, table: PersonTable) -> list[float]:
    """Per cent of the joints that are found: all, seen and hidden ones, by torso and by head."""
    decoder = predictor.description.decoder
    reading = read_people_joints(predictor, table, (decoder,), True, BATCH)
    people, found = table.rows(reading.rows), reading.points[decoder].numpy()
    columns = []
    for length in lengths(people.keypoints):
        near = normalised_distances(found, people.keypoints, length) <= 1
        parts = [np.isfinite(people.visibility), people.visibility == 1, people.visibility == 0]
        columns += [100 * float(near[part].mean()) for part in parts]
    return columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--films", type=int, default=200)
    chosen = parser.parse_args()
    films = mannequin_films(0, chosen.films, FRAMES, SEED)
    rows = [("network", *(f"{kind}, {part}" for kind in ("PCK", "PCKh") for part in PARTS))]
    for run in chosen.runs:
        found = scores(Predictor.load(run), films)
        rows.append((run, *(f"{score:.1f}" for score in found)))
    hidden = int((films.visibility == 0).sum())
    print_rows(f"{chosen.films} films of {FRAMES} frames, {hidden} hidden joints", rows)


if __name__ == "__main__":
    main()
