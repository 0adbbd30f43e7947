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
from stacked_hourglass.saliency_options import SaliencyOptions
from stitched.demo_options import DemoOptions
from stitched.options import PoseOptions
from stitched.visualization.options import (
    InteractiveOptions,
    OverlayPredictionOptions,
    OverlayTruthOptions,
    VideoOptions,
)
from twod_threed.evaluation_options import EvalH36mOptions, EvalMocapOptions
from twod_threed.options import DataOptions as LifterDataOptions
from twod_threed.options import Dataset as LifterDataset
from twod_threed.options import LifterRunOptions, LifterTrainOptions, train_defaults
from twod_threed.temporal.evaluation_options import TemporalEvalOptions
from twod_threed.temporal.inference_options import TemporalRunOptions
from twod_threed.temporal.options import TemporalDataOptions, TemporalDataset, TemporalTrainOptions
from twod_threed.temporal.options import train_defaults as temporal_train_defaults
from twod_threed.temporal.visualization_options import TemporalRenderOptions
from twod_threed.visualization_options import ExamplesOptions, OrthogonalOptions
from utils.command_line import Options


def _train_hourglass(dataset: Dataset, title: str) -> Options:
    defaults = HourglassTrainOptions(data=DataOptions(dataset=dataset))
    return Options(f"Train a stacked hourglass on {title}.", HourglassTrainOptions, defaults)


def _run_hourglass(dataset: Dataset, title: str) -> Options:
    summary = f"Find the joints in {title}, or in any folder of pictures."
    return Options(summary, HourglassRunOptions, HourglassRunOptions(dataset=dataset))


def _train_lifter(dataset: LifterDataset, title: str) -> Options:
    summary = f"Train a lifter, 2D to 3D, on {title}."
    return Options(summary, LifterTrainOptions, train_defaults(dataset))


def _run_lifter(dataset: LifterDataset, title: str) -> Options:
    defaults = LifterRunOptions(data=LifterDataOptions(dataset=dataset))
    summary = f"Lift the 2D poses of a file, or of {title}, to 3D."
    return Options(summary, LifterRunOptions, defaults)


def _train_temporal(dataset: TemporalDataset, title: str) -> Options:
    summary = f"Train a temporal lifter, films of 2D poses to 3D, on {title}."
    return Options(summary, TemporalTrainOptions, temporal_train_defaults(dataset))


def _run_temporal(dataset: TemporalDataset, title: str) -> Options:
    defaults = TemporalRunOptions(data=TemporalDataOptions(dataset=dataset))
    summary = f"Lift a film of 2D poses, of a file or of {title}, to 3D."
    return Options(summary, TemporalRunOptions, defaults)


def _eval_temporal(dataset: TemporalDataset, title: str) -> Options:
    defaults = TemporalEvalOptions(data=TemporalDataOptions(dataset=dataset))
    summary = f"Lift the films of {title} and score them: protocols 1, 2, 3 and velocity."
    return Options(summary, TemporalEvalOptions, defaults)


TRAIN = {
    "hourglass_mpii": _train_hourglass("mpii", "MPII"),
    "hourglass_lsp": _train_hourglass("lsp", "Leeds Sports Pose"),
    "hourglass_lspet": _train_hourglass("lspet", "Leeds Sports Pose extended"),
    "hourglass_coco": _train_hourglass("coco", "COCO keypoints"),
    "hourglass_mannequin": _train_hourglass("mannequin", "the built-in mannequin"),
    "hourglass_people": _train_hourglass("people", "a mixture of data sets"),
    "2d3d_h36m": _train_lifter("h36m", "Human3.6M"),
    "2d3d_mocap": _train_lifter("mocap", "motion capture"),
    "2d3d_mannequin": _train_lifter("mannequin", "the built-in mannequin"),
    "temporal_h36m": _train_temporal("h36m", "Human3.6M"),
    "temporal_humaneva": _train_temporal("humaneva", "HumanEva-I"),
    "temporal_mocap": _train_temporal("mocap", "motion capture"),
    "temporal_mannequin": _train_temporal("mannequin", "the built-in mannequin"),
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
    "2d3d_h36m": _run_lifter("h36m", "Human3.6M"),
    "2d3d_mocap": _run_lifter("mocap", "motion capture"),
    "2d3d_mannequin": _run_lifter("mannequin", "the built-in mannequin"),
    "temporal_h36m": _run_temporal("h36m", "Human3.6M"),
    "temporal_humaneva": _run_temporal("humaneva", "HumanEva-I"),
    "temporal_mocap": _run_temporal("mocap", "motion capture"),
    "temporal_mannequin": _run_temporal("mannequin", "the built-in mannequin"),
}

VIZ = {
    "2d_overlay": Options("Draw 2D poses on the pictures they belong to.", Overlay2dOptions),
    "2d_overlay_3d_pred": Options(
        "Draw 2D poses on pictures, 3D poses beside them.", OverlayPredictionOptions
    ),
    "2d_overlay_3d_gt_3d_pred": Options("The same with the true 3D poses.", OverlayTruthOptions),
    "2d_gt_3d_gt_3d_pred": Options("Draw 2D poses, true and lifted 3D poses.", ExamplesOptions),
    "saliency_and_prob_maps": Options(
        "Draw where joints are seen, and which pixels make it so.", SaliencyOptions
    ),
    "saliency_and_prob_maps_with_skeleton": Options(
        "The same beside the whole picture and its pose.", SaliencyOptions
    ),
    "orthog_augmentation": Options("Turn a pose at random, lift it, draw it.", OrthogonalOptions),
    "temporal_render": Options("Draw a film: 2D, 3D made of it, truth.", TemporalRenderOptions),
    "video": Options("Draw a video with its poses beside the people in 3D.", VideoOptions),
    "interactive": Options(
        "Write a page of 3D poses, to be turned and played.", InteractiveOptions
    ),
}

EVAL = {
    "mpii_PCKh": Options("Score 2D poses on the MPII validation people: PCKh.", EvalMpiiOptions),
    "lsp_PCK": Options("Score 2D poses on Leeds Sports Pose: PCK.", EvalLspOptions),
    "h36m_mpjpe": Options("Score 3D poses on Human3.6M, mean over actions.", EvalH36mOptions),
    "mocap_mpjpe": Options("Score 3D poses on motion capture, mean over sets.", EvalMocapOptions),
    "temporal_h36m": _eval_temporal("h36m", "Human3.6M"),
    "temporal_humaneva": _eval_temporal("humaneva", "HumanEva-I"),
    "temporal_mocap": _eval_temporal("mocap", "motion capture"),
    "temporal_mannequin": _eval_temporal("mannequin", "the built-in mannequin"),
}
