"""What each subcommand of train.py, run.py, viz.py and eval.py can be told.

The options themselves belong to the subpackages; here they are put under the subcommands' names.
Nothing heavy is imported, so that `--help` stays quick.
"""

from typing import Literal

from generative_models.motion_transfer.options import (
    MotionDataOptions,
    MotionDataset,
    TransferEvalOptions,
    TransferRunOptions,
    TransferTrainOptions,
    TransferVizOptions,
)
from generative_models.motion_transfer.options import train_defaults as transfer_train_defaults
from generative_models.pose_gan.evaluation_options import EvalPoseGanOptions
from generative_models.pose_gan.options import Dataset as PoseDataset
from generative_models.pose_gan.options import (
    PoseDataOptions,
    PoseGanTrainOptions,
    PoseVaeTrainOptions,
    SampleOptions,
)
from generative_models.pose_gan.visualization_options import VizPoseGanOptions
from generative_models.skeleton_to_image.evaluation_options import (
    SkeletonToImageEvalOptions,
    SkeletonToImageVizOptions,
)
from generative_models.skeleton_to_image.options import (
    DancerViewOptions,
    SkeletonToImageRunOptions,
    SkeletonToImageTrainOptions,
)
from stacked_hourglass.evaluation_options import (
    EvalCustomOptions,
    EvalEvaOptions,
    EvalLspOptions,
    EvalMpiiOptions,
    Overlay2dOptions,
)
from stacked_hourglass.options import (
    Dataset,
    HourglassRunOptions,
    HourglassTrainOptions,
)
from stacked_hourglass.options import train_defaults as hourglass_train_defaults
from stacked_hourglass.saliency_options import SaliencyOptions
from stitched.dance_options import DanceOptions
from stitched.demo_options import DemoOptions
from stitched.network.options import DataOptions as StitchedDataOptions
from stitched.network.options import Dataset as StitchedDataset
from stitched.network.options import StitchedEvalOptions, StitchedRunOptions, StitchedTrainOptions
from stitched.network.options import TrainDataset as StitchedTrainDataset
from stitched.onnx_options import ExportOnnxOptions
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
    defaults = hourglass_train_defaults(dataset)
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


def _train_stitched(dataset: StitchedTrainDataset, title: str) -> Options:
    defaults = StitchedTrainOptions(data=StitchedDataOptions(dataset=dataset))
    summary = f"Train hourglass and lifter as one network on {title}."
    return Options(summary, StitchedTrainOptions, defaults)


def _run_stitched(dataset: StitchedDataset, title: str) -> Options:
    summary = f"Find 2D and 3D joints in {title}, hourglass and lifter as one network."
    return Options(summary, StitchedRunOptions, StitchedRunOptions(dataset=dataset))


def _eval_stitched(dataset: Literal["h36m", "mannequin"], title: str) -> Options:
    summary = f"Score the stitched network on {title}: 2D and 3D."
    return Options(summary, StitchedEvalOptions, StitchedEvalOptions(dataset=dataset))


def _train_pose_gan(name: str, dataset: PoseDataset, title: str) -> Options:
    defaults = PoseGanTrainOptions(data=PoseDataOptions(dataset=dataset, subcommand=name))
    return Options(
        f"Train a Wasserstein GAN of 3D poses on {title}.", PoseGanTrainOptions, defaults
    )


def _train_pose_vae(name: str, dataset: PoseDataset, title: str) -> Options:
    defaults = PoseVaeTrainOptions(data=PoseDataOptions(dataset=dataset, subcommand=name))
    return Options(f"Train a VAE of 3D poses on {title}.", PoseVaeTrainOptions, defaults)


def _train_transfer(dataset: MotionDataset, title: str) -> Options:
    summary = f"Train motion transfer, one person's motion on another's body, on {title}."
    return Options(summary, TransferTrainOptions, transfer_train_defaults(dataset))


def _eval_transfer(dataset: MotionDataset, title: str) -> Options:
    defaults = TransferEvalOptions(data=MotionDataOptions(dataset=dataset))
    summary = f"Score motion transfer to bodies of {title}: MSE, MAE."
    return Options(summary, TransferEvalOptions, defaults)


TRAIN = {
    "hourglass_mpii": _train_hourglass("mpii", "MPII"),
    "hourglass_lsp": _train_hourglass("lsp", "Leeds Sports Pose"),
    "hourglass_lspet": _train_hourglass("lspet", "Leeds Sports Pose extended"),
    "hourglass_coco": _train_hourglass("coco", "COCO keypoints"),
    "hourglass_eva": _train_hourglass("eva", "HumanEva-I"),
    "hourglass_mannequin": _train_hourglass("mannequin", "the built-in mannequin"),
    "hourglass_mannequin_video": _train_hourglass("mannequin_video", "films of mannequins"),
    "hourglass_people": _train_hourglass("people", "a mixture of data sets"),
    "hourglass_custom": _train_hourglass("custom", "keypoints of any kind, in COCO's layout"),
    "2d3d_h36m": _train_lifter("h36m", "Human3.6M"),
    "2d3d_mocap": _train_lifter("mocap", "motion capture"),
    "2d3d_mannequin": _train_lifter("mannequin", "the built-in mannequin"),
    "temporal_h36m": _train_temporal("h36m", "Human3.6M"),
    "temporal_humaneva": _train_temporal("humaneva", "HumanEva-I"),
    "temporal_mocap": _train_temporal("mocap", "motion capture"),
    "temporal_mannequin": _train_temporal("mannequin", "the built-in mannequin"),
    "stitched_fine_tune": _train_stitched("fine_tune", "Human3.6M"),
    "stitched_h36m": _train_stitched("h36m", "Human3.6M"),
    "stitched_mannequin": _train_stitched("mannequin", "the built-in mannequin"),
    "3d_pose_gan": _train_pose_gan("3d_pose_gan", "h36m", "Human3.6M"),
    "3d_pose_gan_mocap": _train_pose_gan("3d_pose_gan_mocap", "mocap", "motion capture"),
    "3d_pose_gan_mannequin": _train_pose_gan(
        "3d_pose_gan_mannequin", "mannequin", "the built-in mannequin"
    ),
    "3d_pose_vae_h36m": _train_pose_vae("3d_pose_vae_h36m", "h36m", "Human3.6M"),
    "3d_pose_vae_mocap": _train_pose_vae("3d_pose_vae_mocap", "mocap", "motion capture"),
    "3d_pose_vae_mannequin": _train_pose_vae(
        "3d_pose_vae_mannequin", "mannequin", "the built-in mannequin"
    ),
    "skeleton_to_image": Options(
        "Train a network that draws one person in any pose.", SkeletonToImageTrainOptions
    ),
    "motion_transfer_mocap": _train_transfer("mocap", "motion capture"),
    "motion_transfer_mannequin": _train_transfer("mannequin", "mannequins"),
}

RUN = {
    "pose": Options("Find people's 2D and 3D poses in pictures, videos or a webcam.", PoseOptions),
    "demo": Options("Render a clip, find its poses in 2D and 3D, measure the errors.", DemoOptions),
    "hourglass_mpii": _run_hourglass("mpii", "MPII"),
    "hourglass_lsp": _run_hourglass("lsp", "Leeds Sports Pose"),
    "hourglass_lspet": _run_hourglass("lspet", "Leeds Sports Pose extended"),
    "hourglass_coco": _run_hourglass("coco", "COCO keypoints"),
    "hourglass_eva": _run_hourglass("eva", "HumanEva-I"),
    "hourglass_mannequin": _run_hourglass("mannequin", "the built-in mannequin"),
    "hourglass_mannequin_video": _run_hourglass("mannequin_video", "films of mannequins"),
    "hourglass_people": _run_hourglass("people", "a mixture of data sets"),
    "hourglass_custom": _run_hourglass("custom", "pictures annotated in COCO's layout"),
    "2d3d_h36m": _run_lifter("h36m", "Human3.6M"),
    "2d3d_mocap": _run_lifter("mocap", "motion capture"),
    "2d3d_mannequin": _run_lifter("mannequin", "the built-in mannequin"),
    "temporal_h36m": _run_temporal("h36m", "Human3.6M"),
    "temporal_humaneva": _run_temporal("humaneva", "HumanEva-I"),
    "temporal_mocap": _run_temporal("mocap", "motion capture"),
    "temporal_mannequin": _run_temporal("mannequin", "the built-in mannequin"),
    "stitched_mpii": _run_stitched("mpii", "MPII or any folder"),
    "stitched_h36m": _run_stitched("h36m", "Human3.6M"),
    "stitched_mannequin": _run_stitched("mannequin", "the built-in mannequin"),
    "3d_pose_gan": Options("Make up 3D poses with a GAN or a VAE.", SampleOptions),
    "export_onnx": Options(
        "Write a network as an ONNX file for other programs.", ExportOnnxOptions
    ),
    "skeleton_to_image": Options("Draw a person in given poses.", SkeletonToImageRunOptions),
    "dance": Options("Make a trained dancer move like the person in a video.", DanceOptions),
    "motion_transfer": Options("Make one person move as another does.", TransferRunOptions),
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
    "3d_pose_gan": Options("Draw made-up 3D poses and ways between them.", VizPoseGanOptions),
    "dancer": Options("Look at a dancer's pictures and skeletons.", DancerViewOptions),
    "skeleton_to_image": Options(
        "Draw what dancers make beside real frames.", SkeletonToImageVizOptions
    ),
    "motion_transfer": Options(
        "Draw what lies between two clips, and a transfer.", TransferVizOptions
    ),
}

EVAL = {
    "mpii_PCKh": Options("Score 2D poses on the MPII validation people: PCKh.", EvalMpiiOptions),
    "lsp_PCK": Options("Score 2D poses on Leeds Sports Pose: PCK.", EvalLspOptions),
    "eva_PCK": Options("Score 2D poses on HumanEva-I: PCK and pixels.", EvalEvaOptions),
    "custom_PCK": Options("Score poses of keypoints of any kind: PCK.", EvalCustomOptions),
    "h36m_mpjpe": Options("Score 3D poses on Human3.6M, mean over actions.", EvalH36mOptions),
    "mocap_mpjpe": Options("Score 3D poses on motion capture, mean over sets.", EvalMocapOptions),
    "temporal_h36m": _eval_temporal("h36m", "Human3.6M"),
    "temporal_humaneva": _eval_temporal("humaneva", "HumanEva-I"),
    "temporal_mocap": _eval_temporal("mocap", "motion capture"),
    "temporal_mannequin": _eval_temporal("mannequin", "the built-in mannequin"),
    "stitched_h36m": _eval_stitched("h36m", "Human3.6M"),
    "stitched_mannequin": _eval_stitched("mannequin", "mannequins"),
    "3d_pose_gan": Options("Score models of 3D poses side by side.", EvalPoseGanOptions),
    "skeleton_to_image": Options(
        "Score trained dancers on frames they have not seen.", SkeletonToImageEvalOptions
    ),
    "motion_transfer_mocap": _eval_transfer("mocap", "people who did not train"),
    "motion_transfer_mannequin": _eval_transfer("mannequin", "mannequins"),
}
