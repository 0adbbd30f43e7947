"""The tables of options: complete, light, and true to what the pages promise."""

import ast
import dataclasses
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import eval as eval_script
import options
import run as run_script
import train as train_script
import viz as viz_script
from utils.command_line import Options, option_names, parse_options
from utils.errors import UserError

ROOT = Path(__file__).parents[1]
TABLES = {
    "train.py": (options.TRAIN, train_script.FUNCTIONS),
    "run.py": (options.RUN, run_script.FUNCTIONS),
    "viz.py": (options.VIZ, viz_script.FUNCTIONS),
    "eval.py": (options.EVAL, eval_script.FUNCTIONS),
}
SUBCOMMANDS = [
    (script, name, known) for script, (table, _) in TABLES.items() for name, known in table.items()
]


def classes(kind: type) -> set[type]:
    """The dataclass and those inside it."""
    inside = [hint for hint in get_type_hints(kind).values() if dataclasses.is_dataclass(hint)]
    return {kind}.union(*(classes(hint) for hint in inside if isinstance(hint, type)))


KINDS = {part for _, _, known in SUBCOMMANDS for part in classes(known.kind)}

# Options that any training command takes, and those of `hourglass_mpii`.
COMMON = shlex.split("""
    --workers --use_amsprop --lr --exp --tb_dir --seed --load --checkpoint_dir --data_dir --epochs
""")
LOOP = shlex.split("""
    --tb_log_freq --resume --overwrite --devices --num_nodes --strategy --precision
    --early_stop_patience --lr_scheduler --max_steps --max_minutes --grad_clip --no_grad_clipping
""")
HOURGLASS = shlex.split("""
    --stacks --features --blocks --num_classes --batch_norm_momentum --resolution --flip
    --remove_intermediate_supervision --augment_training_data --heatmap_loss
""")
LIFTER = shlex.split("""
    --linear_size --num_stage --dropout --max_norm --dataset_normalization --flip_prob
    --orthogonal_data_augmentation --orthogonal_data_augmentation_prob --z_rotations_only
    --drop_joint_prob --cycle_gan --use_amsprop
""")
TEMPORAL = shlex.split("""
    -k --keypoints -c --checkpoint --checkpoint_frequency -r -str --subjects_train -ste
    --subjects_test -sun --subjects_unlabeled -a --actions -e -s --stride -b --batch_size -drop
    --dropout -lr --learning_rate -lrd --lr_decay -no-tta --no_test_time_augmentation -no-da
    --no_data_augmentation -arc --architecture -ch --channels --causal --dense
    --disable_optimizations --warmup --subset --downsample --no_bone_length --linear_projection
    --no_proj --no_eval --export_training_curves --evaluate --by_subject --render --viz_output
""")
STITCHED = shlex.split("--load_hourglass --load_2d3d --heatmap_loss_coeff --freeze")
POSE_GAN = shlex.split("""
    --gradient_penalty_coeff --clip_max --num_discriminator_steps_per_generator_step --latent_size
""")
PROMISED = {
    "hourglass": HOURGLASS,
    "2d3d": LIFTER,
    "temporal": TEMPORAL,
    "stitched": STITCHED,
    "3d_pose_gan": POSE_GAN,
    "3d_pose_vae": ["--latent_size", "--beta"],
    "motion_transfer": ["--width", "--limb_scale"],
    "skeleton_to_image": ["--model", "--dancer", "--image_size"],
}


def spellings(known: Options) -> set[str]:
    return set(option_names(known.kind))


@pytest.mark.parametrize("script", TABLES)
def test_every_subcommand_has_options_and_a_function(script: str):
    table, functions = TABLES[script]
    assert list(table) == list(functions)
    for name, known in table.items():
        first, *_ = get_type_hints(functions[name].function()).values()
        assert first is known.kind, name


@pytest.mark.parametrize(("script", "name", "known"), SUBCOMMANDS)
def test_every_subcommand_has_one_line_about_it(script: str, name: str, known: Options):
    assert re.fullmatch(r"[A-Z][^\n]{10,90}\.", known.summary)


@pytest.mark.parametrize(("script", "name", "known"), SUBCOMMANDS)
def test_help_lists_every_option(
    script: str, name: str, known: Options, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit):
        parse_options(known, ["--help"], f"{script} {name}")
    text = capsys.readouterr().out
    assert not [option for option in spellings(known) if option not in text]


@pytest.mark.parametrize("kind", sorted(KINDS, key=str))
def test_every_option_has_its_help_under_it(kind: type):
    tree = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(tree, ast.ClassDef)
    bare = [
        ast.unparse(field.target)
        for field, after in zip(tree.body, [*tree.body[1:], None], strict=True)
        if isinstance(field, ast.AnnAssign)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
        and not dataclasses.is_dataclass(get_type_hints(kind)[ast.unparse(field.target)])
    ]
    assert not bare


@pytest.mark.parametrize("name", options.TRAIN)
def test_promised_training_options_exist(name: str):
    model = next((kind for kind in PROMISED if name.startswith(kind)), None)
    assert model, f"PROMISED does not say which options {name} has"
    assert {*COMMON, *LOOP, *PROMISED[model]} <= spellings(options.TRAIN[name])


@pytest.mark.parametrize("name", options.TRAIN)
def test_training_options_read_as_written(name: str):
    chosen = parse_options(options.TRAIN[name], shlex.split("--exp try --lr 1e-3"), name)
    assert (chosen.run.exp, chosen.optim.lr) == ("try", 1e-3)
    if name not in ("3d_pose_gan", "skeleton_to_image"):  # Human3.6M; what --dancer says
        assert name.endswith(chosen.data.dataset)


def test_hourglass_options_read_as_written():
    words = shlex.split("--augment_training_data False --num-classes 16")
    chosen = parse_options(options.TRAIN["hourglass_mpii"], words, "train.py hourglass_mpii")
    assert chosen.heatmaps.augment_training_data is False
    assert chosen.network.num_classes == 16


def test_defaults_put_runs_where_the_original_command_does():
    spelled_out = shlex.split("--checkpoint_dir model_checkpoints/ --exp default --tb_dir tb_logs/")
    told = parse_options(options.TRAIN["hourglass_mpii"], spelled_out, "train.py")
    default = parse_options(options.TRAIN["hourglass_mpii"], [], "train.py")
    assert told.run.exp == default.run.exp
    assert Path(told.run.checkpoint_dir) == Path(default.run.checkpoint_dir)
    assert Path(told.run.tb_dir) == Path(default.run.tb_dir)


def test_the_page_of_flags_names_only_options_that_exist():
    rows = re.findall(r"^\|.*\|(.*)\|$", (ROOT / "docs/flags.md").read_text(), re.MULTILINE)
    named = {option for row in rows for option in re.findall(r"--\w+", row)}
    known = set().union(*(spellings(known) for _, _, known in SUBCOMMANDS))
    assert len(named) > 20
    assert named <= known


def test_the_tables_import_nothing_heavy():
    heavy = ("torch", "numpy", "cv2", "av", "scipy", "matplotlib")
    code = f"import sys, options; sys.exit(str([m for m in {heavy} if m in sys.modules] or ''))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("hourglass_lsp --mannequin_count 5", "for lsp: it is for mannequin, people"),
        ("hourglass_mannequin --data_dir x", "for mannequin: it is for mpii, lsp"),
        ("hourglass_coco --sources x", "for coco: it is for people"),
        ("2d3d_mannequin --action Walking", "for mannequin: it is for h36m"),
        ("2d3d_h36m --validation_poses 9", "for h36m: it is for mocap, mannequin"),
        ("2d3d_h36m --epoch_poses 9", "for h36m: an epoch is all of its poses"),
        ("temporal_h36m --frame_rate 3", "for h36m: it is for mocap, mannequin"),
        ("temporal_mocap --humaneva_joints 20", "for mocap: it is for humaneva"),
        ("stitched_mannequin --every 2", "for mannequin: it is for h36m, fine_tune"),
        ("3d_pose_gan_mannequin --data_dir x", "for mannequin: it is for h36m, mocap"),
        ("3d_pose_vae_mocap --mannequin_count 3", "for mocap: it is for mannequin"),
        ("motion_transfer_mannequin --subjects_test x", "for mannequin: it is for mocap"),
        ("hourglass_lsp --gamma 0.5", "without --lr_scheduler step"),
        ("temporal_h36m --epoch_frames 9", "where the films are given"),
        ("temporal_mocap --epoch_frames 9 --cameras_at_rest 2", "where the films are given"),
    ],
)
def test_options_that_would_do_nothing_are_refused(command: str, says: str):
    name, *words = shlex.split(command)
    with pytest.raises(UserError, match=re.escape(f"{words[0]} does nothing {says}")):
        parse_options(options.TRAIN[name], words, name)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("pose a.jpg --lift False --height 1800", "--height does nothing with --lift False"),
        ("pose a.jpg --lift False --lifter x", "--lifter does nothing with --lift False"),
        ("dance --source p.npz --smooth none", "--smooth does nothing with the pose file p.npz"),
        ("dance --source a.mp4 --film b", "--film does nothing with the video a.mp4"),
        ("skeleton_to_image --film b", "--film is for --poses"),
        ("dance --source p.json --load x", "--load does nothing with the pose file p.json"),
        ("2d3d_mocap --poses p.npz --data_dir x", "--poses is lifted instead of a data set"),
        ("2d3d_h36m --poses p.npz --split test", "--poses is lifted instead of a data set"),
        ("temporal_mocap --poses p.npz --split train", "--poses is lifted instead of a data set"),
    ],
)
def test_options_of_what_is_not_done_are_refused(command: str, says: str):
    name, *words = shlex.split(command)
    with pytest.raises(UserError, match=re.escape(says)):
        parse_options(options.RUN[name], words, name)


@pytest.mark.parametrize("name", ["2d3d_mocap", "2d3d_h36m", "temporal_mocap", "temporal_h36m"])
def test_a_pose_file_alone_is_lifted_by_every_command(name: str):
    assert parse_options(options.RUN[name], ["--poses", "p.npz"], name).poses == "p.npz"
