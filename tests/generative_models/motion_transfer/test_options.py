"""What options refuse, and that --help needs nothing heavy."""

import subprocess
import sys

import pytest

from generative_models.motion_transfer.options import (
    LossOptions,
    MotionDataOptions,
    TransferEvalOptions,
    TransferNetworkOptions,
    TransferTrainOptions,
    TransferVizOptions,
    train_defaults,
)
from utils.command_line import option_names
from utils.errors import UserError
from utils.options import OptimizerOptions


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        (LossOptions, {"window": 20}, "--window must be a multiple of 8"),
        (LossOptions, {"turns": 0}, "--turns"),
        (LossOptions, {"limb_scale": (2.0, 0.5)}, "--limb_scale"),
        (LossOptions, {"drop_joint_prob": 1.0}, "--drop_joint_prob"),
        (LossOptions, {"cross_weight": -1.0}, "--cross_weight"),
        (TransferNetworkOptions, {"width": 0.0}, "--width"),
        (TransferNetworkOptions, {"dropout": 1.0}, "--dropout"),
        (MotionDataOptions, {"frame_rate": 0.0}, "--frame_rate"),
        (MotionDataOptions, {"frame_rate": 1e4}, "--frame_rate must be above 0 and at most 1000"),
        (MotionDataOptions, {"mannequin_count": 0}, "--mannequin_count"),
        (
            MotionDataOptions,
            {"dataset": "mocap", "subjects_test": ("cmu/06",)},
            "cmu/06: named to validate and to",
        ),
        (TransferEvalOptions, {"pairs": 0}, "--pairs"),
        (TransferEvalOptions, {"jitter": -1.0}, "--jitter"),
        (TransferEvalOptions, {"methods": ()}, "--methods"),
        (TransferTrainOptions, {"optim": OptimizerOptions()}, "--optimizer must be adam"),
    ],
)
def test_values_that_cannot_be_are_refused(kind, values, told: str):
    with pytest.raises(UserError, match=told):
        kind(**values)


def test_viz_refuses_a_grid_of_one():
    with pytest.raises(UserError, match="--steps"):
        TransferVizOptions("a", "b", steps=1)


def test_subcommands_fix_the_data_set_and_the_name_of_the_run():
    assert train_defaults("mocap").run_name == "motion_transfer_mocap_default"
    assert "--dataset" not in option_names(TransferTrainOptions)
    assert "--n_interp" in option_names(TransferVizOptions)


def test_options_import_nothing_heavy():
    code = (
        "import sys, generative_models.motion_transfer.options;"
        "print(set(sys.modules) & {'torch', 'numpy', 'cv2', 'scipy'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
