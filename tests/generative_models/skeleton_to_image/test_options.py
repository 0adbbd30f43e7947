"""Options: limits, numbers for models, and quick help."""

import subprocess
import sys
from typing import Any

import pytest

from generative_models.skeleton_to_image.options import (
    MODELS,
    DancerOptions,
    GanOptions,
    GeneratorOptions,
    SkeletonToImageRunOptions,
    SkeletonToImageTrainOptions,
    model_name,
)
from generative_models.skeleton_to_image.pose2vid_options import Pose2VidOptions
from utils.errors import UserError


def test_models_go_by_name_or_number() -> None:
    assert [model_name(str(number)) for number in range(1, 6)] == list(MODELS)
    assert [model_name(name) for name in MODELS] == list(MODELS)
    assert SkeletonToImageTrainOptions(model="4").name == "gan"


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (DancerOptions, {"test_share": 0.0}),
        (DancerOptions, {"test_share": 0.6, "val_share": 0.5}),
        (DancerOptions, {"gap": -1}),
        (DancerOptions, {"mannequin_frames": 3}),
        (GeneratorOptions, {"image_size": 8}),
        (GeneratorOptions, {"features": 2}),
        (GeneratorOptions, {"joint_noise": -0.1}),
        (GanOptions, {"critic_steps": 0}),
        (GanOptions, {"beta1": 1.0}),
        (SkeletonToImageRunOptions, {"poses": "a", "skeletons": "b"}),
        (SkeletonToImageRunOptions, {"size": 5}),
    ],
)
def test_what_makes_no_sense_is_refused(make: type, wrong: dict) -> None:
    with pytest.raises(UserError, match="--"):
        make(**wrong)


@pytest.mark.parametrize(
    ("make", "options", "where"),
    [
        (DancerOptions, {"gap": 9, "split": "random"}, "with --split random"),
        (DancerOptions, {"mannequin_frames": 99, "dancer": "x"}, "with --dancer FOLDER"),
        (GanOptions, {"gradient_penalty_coeff": 5.0, "gan_loss": "bce"}, "with --gan_loss bce"),
        (Pose2VidOptions, {"n_blocks_local": 9}, "with --netG global"),
        (Pose2VidOptions, {"lambda_flow": 3.0, "no_flow_loss": True}, "with --no_flow_loss"),
    ],
)
def test_what_does_nothing_is_refused(make: type, options: dict, where: str) -> None:
    with pytest.raises(UserError, match=f"--{next(iter(options))} does nothing {where}"):
        make(**options)


@pytest.mark.parametrize(
    ("model", "option"),
    [
        ("nearest", {"joint_noise": 0.1}),
        ("vanilla_vector", {"input": "heatmaps"}),
        ("pose2vid", {"features": 99}),
    ],
)
def test_what_says_nothing_to_a_model_is_refused(model: Any, option: dict) -> None:
    with pytest.raises(UserError, match=f"{next(iter(option))} does nothing with --model {model}"):
        SkeletonToImageTrainOptions(model=model, network=GeneratorOptions(**option))
    SkeletonToImageTrainOptions(model="gan", network=GeneratorOptions(**option))


def test_help_waits_for_nothing_heavy() -> None:
    modules = ("options", "evaluation_options", "pose2vid_options")
    imports = "; ".join(f"import generative_models.skeleton_to_image.{name}" for name in modules)
    heavy = "{'torch', 'numpy', 'cv2', 'av', 'scipy'} & set(sys.modules)"
    code = f"import sys; {imports}; import stitched.dance_options; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
