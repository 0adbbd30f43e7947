"""The subcommand `mannequin` of data/prepare.py: poses of mannequins beside motion capture."""

from dataclasses import dataclass
from pathlib import Path

from utils.errors import UserError
from utils.mannequin.motion_store import mannequin_store
from utils.mocap.store import write_store


@dataclass
class MannequinPosesOptions:
    """Put poses of mannequins into a motion store, for train.py 2d3d_mocap and temporal_mocap.

    They vary more than what people are filmed at: half of them are unrelated poses, half a motion
    at 10 frames a second. What learns how people move, 3d_pose_gan_mocap, 3d_pose_vae_mocap and
    motion_transfer_mocap, leaves them out where there are people.
    """

    output: Path = Path("data/mocap/mannequin.npz")
    """The store to write."""
    count: int = 200
    """Bodies, each in 500 poses."""
    seed: int = 0
    """Other bodies and poses for another seed."""

    def __post_init__(self) -> None:
        if self.count < 1 or self.seed < 0:
            raise UserError("--count must be at least 1, --seed not negative")


def prepare_mannequin(options: MannequinPosesOptions) -> int:
    """Write the store. -> exit code."""
    store = mannequin_store(options.seed, 0, options.count)
    write_store(options.output, store)
    size = options.output.stat().st_size / 1e6
    print(f"{options.count} bodies, {len(store.positions)} poses: {options.output}, {size:.1f} MB")
    return 0
