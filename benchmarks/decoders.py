"""Joints found with each way of reading them off the same heatmaps.

    python -m benchmarks.decoders [--load balanced lightweight] [--lsp data/lsp]

On the pictures of LSP that validate and on 500 mannequins, by which the shipped hourglasses have
not been trained: joints within the tolerance of PCK, and within half of it.
"""

import argparse
from pathlib import Path

import torch

from benchmarks.timing import machine
from stacked_hourglass.decoding import DECODERS
from stacked_hourglass.mannequin_people import mannequin_people
from stacked_hourglass.person_table import PersonTable
from stacked_hourglass.predictor import Predictor
from stacked_hourglass.readers import read_lsp
from stacked_hourglass.reading import read_people_joints
from stacked_hourglass.tolerance import tolerance

MANNEQUINS = (1500, 500, 2)
"""How many train and how many validate, and the seed, in the last training of `balanced`."""


def distances(predictor: Predictor, table: PersonTable) -> dict[str, torch.Tensor]:
    """Decoder -> distances of all labelled joints, the tolerance of PCK being 1."""
    reading = read_people_joints(predictor, table, tuple(DECODERS), True, 20)
    people = table.rows(reading.rows)
    everything, box = torch.from_numpy(people.keypoints), torch.from_numpy(people.box)
    known, head_box = predictor.description, torch.from_numpy(people.head_box)
    allowed = tolerance(everything, head_box, box, known.table_skeleton)
    truth = everything[:, known.joints_of_table]
    labelled = ~truth.isnan().any(-1)
    return {
        name: ((points - truth).norm(dim=-1) / allowed[:, None])[labelled]
        for name, points in reading.points.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", nargs="+", default=["balanced", "lightweight"])
    parser.add_argument("--lsp", type=Path, default=Path("data/lsp"), help="folder of LSP")
    chosen = parser.parse_args()
    tables = {
        "LSP 901-1000": read_lsp(chosen.lsp).of_split("val"),
        "mannequins": mannequin_people(*MANNEQUINS).of_split("val"),
    }
    print(machine())
    print("\n| network | people | decoder | found, % | within half, % |\n|---|---|---|---|---|")
    for load in chosen.load:
        predictor = Predictor.load(load)
        for people, table in tables.items():
            for name, off in distances(predictor, table).items():
                found, half = (100 * float((off <= share).float().mean()) for share in (1, 0.5))
                print(f"| {load} | {people} | {name} | {found:.1f} | {half:.1f} |", flush=True)


if __name__ == "__main__":
    main()
