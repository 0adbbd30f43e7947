"""What each subcommand of train.py, run.py, viz.py and eval.py can be told.

The options themselves belong to the subpackages; here they are put under the subcommands' names.
Nothing heavy is imported, so that `--help` stays quick.
"""

from stacked_hourglass.evaluation_options import EvalLspOptions, EvalMpiiOptions, Overlay2dOptions
from stacked_hourglass.options import (
    DataOptions,
    Dataset,
    HourglassRunOptions,
    HourglassTrainOptions,
)
from stitched.demo_options import DemoOptions
from stitched.options import PoseOptions
from utils.command_line import Options


def _train_hourglass(dataset: Dataset, title: str) -> Options:
    defaults = HourglassTrainOptions(data=DataOptions(dataset=dataset))
    return Options(f"Train a stacked hourglass on {title}.", HourglassTrainOptions, defaults)


def _run_hourglass(dataset: Dataset, title: str) -> Options:
    summary = f"Find the joints in {title}, or in any folder of pictures."
    return Options(summary, HourglassRunOptions, HourglassRunOptions(dataset=dataset))


TRAIN = {
    "hourglass_mpii": _train_hourglass("mpii", "MPII"),
    "hourglass_lsp": _train_hourglass("lsp", "Leeds Sports Pose"),
    "hourglass_lspet": _train_hourglass("lspet", "Leeds Sports Pose extended"),
    "hourglass_coco": _train_hourglass("coco", "COCO keypoints"),
    "hourglass_mannequin": _train_hourglass("mannequin", "the built-in mannequin"),
    "hourglass_people": _train_hourglass("people", "a mixture of data sets"),
}

RUN = {
    "pose": Options("Find a person's 2D pose in pictures, videos or a webcam.", PoseOptions),
    "demo": Options("Render a clip, find its poses, measure the error.", DemoOptions),
    "hourglass_mpii": _run_hourglass("mpii", "MPII"),
    "hourglass_lsp": _run_hourglass("lsp", "Leeds Sports Pose"),
    "hourglass_lspet": _run_hourglass("lspet", "Leeds Sports Pose extended"),
    "hourglass_coco": _run_hourglass("coco", "COCO keypoints"),
    "hourglass_mannequin": _run_hourglass("mannequin", "the built-in mannequin"),
    "hourglass_people": _run_hourglass("people", "a mixture of data sets"),
}

VIZ = {
    "2d_overlay": Options("Draw 2D poses on the pictures they belong to.", Overlay2dOptions),
}

EVAL = {
    "mpii_PCKh": Options("Score 2D poses on the MPII validation people: PCKh.", EvalMpiiOptions),
    "lsp_PCK": Options("Score 2D poses on Leeds Sports Pose: PCK.", EvalLspOptions),
}
