"""Measure the errors of an hourglass: the table that `--input_noise` of the lifters draws from.

    python -m benchmarks.detector_errors --lsp data/lsp --output twod_threed/detector_noise.json

On the pictures of LSP that validate, which a shipped hourglass has not learnt from, and on as many
mannequins; pelvis and thorax, which LSP does not have, on the mannequins alone.
"""

import argparse
from pathlib import Path

import torch

from stacked_hourglass.mannequin_people import mannequin_people
from stacked_hourglass.person_table import mix
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.readers import read_lsp
from stacked_hourglass.reading import read_people_joints
from twod_threed.detector_noise import NoiseTable, measure_noise, write_table
from utils.skeletons import MPII_16

SEED = 5


def measure(load: str, lsp: Path) -> NoiseTable:
    """The errors of the hourglass that `--load` names."""
    people = read_lsp(lsp).of_split("val")
    table = mix([people, mannequin_people(0, len(people), SEED)])
    predictor = Predictor.load(load)
    decoder = predictor.description.decoder
    reading = read_people_joints(predictor, table, (decoder,), True, 20)
    truth = torch.from_numpy(table.keypoints[reading.rows]).float()
    return measure_noise(reading.points[decoder].float(), truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", default="balanced")
    parser.add_argument("--lsp", type=Path, default=Path("data/lsp"))
    parser.add_argument("--output", type=Path, required=True)
    chosen = parser.parse_args()
    table = measure(chosen.load, chosen.lsp)
    write_table(chosen.output, table)
    for number, joint in enumerate(MPII_16.joints):
        print(joint, *(f"{name} {values[number]:.3f}" for name, values in vars(table).items()))


if __name__ == "__main__":
    main()
