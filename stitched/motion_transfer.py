"""`eval.py motion_transfer_*`: bones of lifted poses beside the other ways."""

from generative_models.motion_transfer import evaluation
from generative_models.motion_transfer.options import TransferEvalOptions
from stitched.lifting import PoseLifter
from stitched.options import LiftOptions, MachineOptions


def evaluate(options: TransferEvalOptions) -> int:
    """As `evaluation.evaluate`, with the shipped lifter. -> exit code."""
    lifter = PoseLifter(LiftOptions(), MachineOptions(accelerator=options.weights.accelerator))
    return evaluation.evaluate(options, lifter.video)
