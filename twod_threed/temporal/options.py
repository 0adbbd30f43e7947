"""Options of temporal lifting. Nothing heavy is imported here, so that --help stays quick.

Names and short forms are those of the published program (Pavllo, Feichtenhofer, Grangier, Auli, "3D
human pose estimation in video with temporal convolutions and semi-supervised training", CVPR 2019),
beside the names that all commands share. Lists are separated by spaces, commas or both.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from twod_threed.temporal.viz_options import VizOptions, check_rendered
from twod_threed.view_ranges import ViewRanges
from utils import subjects
from utils.errors import need
from utils.option_checks import at_least_one, check_disjoint, refuse_given, refuse_idle
from utils.options import LoopOptions, OptimizerOptions, RunOptions

TemporalDataset = Literal["h36m", "humaneva", "mocap", "mannequin"]
Normalisation = Literal["screen", "view"]

FIXED_FILMS = ("h36m", "humaneva")
"""Data sets that are films; the others are motion, seen by virtual cameras."""
KEYPOINTS = {"h36m": "cpn_ft_h36m_dbb", "humaneva": "detectron_pt_coco"}
TRAIN_SUBJECTS = {
    "h36m": ("S1", "S5", "S6", "S7", "S8"),
    "humaneva": ("Train/S1", "Train/S2", "Train/S3"),
}
TEST_SUBJECTS = {
    "h36m": ("S9", "S11"),
    "humaneva": ("Validate/S1", "Validate/S2", "Validate/S3"),
    "mocap": subjects.TEST_SUBJECTS["mocap"],
}
VALIDATION_SUBJECTS = {"mocap": subjects.VALIDATION_SUBJECTS["mocap"]}
PARTS = "training, unlabelled, validation, test"
"""Of whom nobody can be in two."""


def separated(words: Iterable[str]) -> tuple[str, ...]:
    """Words of a list that is separated by spaces, commas or both: ("S1,S5", "S6") -> 3 words."""
    return tuple(part.strip() for word in words for part in word.split(",") if part.strip())


@dataclass
class ResumeOptions:
    """Which checkpoint --resume means."""

    resume_file: tyro.conf.Positional[str] = ""
    """File in the run's folder that --resume goes on from, such as epoch_10.ckpt; the last
    checkpoint if none is named."""


@dataclass
class TemporalNetworkOptions:
    """The network. These travel with its weights and are never asked for again."""

    architecture: Annotated[str, tyro.conf.arg(aliases=["-arc"])] = "3,3,3"
    """Odd filter widths, separated by commas: that of the first layer, then one for each residual
    block. Their product is the number of frames that are looked at. --load may name a network that
    looks at fewer: this one goes on from it."""
    channels: Annotated[int, tyro.conf.arg(aliases=["-ch"])] = 1024
    """Channels of the convolutions."""
    dropout: Annotated[float, tyro.conf.arg(aliases=["-drop"])] = 0.25
    """Share of the channels that are switched off in each training step."""
    causal: bool = False
    """Look only at the past, for real time."""
    dense: bool = False
    """Dense instead of dilated convolutions, for comparison."""

    def __post_init__(self) -> None:
        parts = separated([self.architecture])
        odd = [part.isdecimal() and int(part) % 2 == 1 for part in parts]
        need(
            bool(parts) and all(odd),
            f"--architecture takes odd filter widths such as 3,3,3, not {self.architecture}",
        )
        at_least_one(channels=self.channels)
        need(0 <= self.dropout < 1, f"--dropout must be in [0, 1), not {self.dropout}")

    @property
    def widths(self) -> tuple[int, ...]:
        """Filter widths, in order."""
        return tuple(int(part) for part in separated([self.architecture]))


_DRAWN: tuple[TemporalDataset, ...] = ("mocap", "mannequin")
_USED_BY = {
    "data_dir": (*FIXED_FILMS, "mocap"),
    "input_joints": FIXED_FILMS,
    "humaneva_joints": ("humaneva",),
    **dict.fromkeys(
        ("frame_rate", "field_of_view", "cameras_at_rest", "validation_frames"), _DRAWN
    ),
    "mannequin_count": ("mannequin",),
}


@dataclass
class TemporalDataOptions:
    """Which films or motion."""

    dataset: Annotated[TemporalDataset, tyro.conf.Suppress] = "mannequin"
    """Fixed by the subcommand."""
    data_dir: str = ""
    """h36m, humaneva: folder of the data set in a layout of data/README.md; mocap: a motion store
    (.npz) of data/prepare.py or a folder of them; h36m, mocap: also a file of pairs. Empty means
    data/<name>."""
    keypoints: Annotated[str, tyro.conf.arg(aliases=["-k"])] = ""
    """h36m, humaneva: 2D joints: gt for projections, or the name of a detector whose joints are
    there; empty means cpn_ft_h36m_dbb or detectron_pt_coco."""
    input_joints: Literal["own", "mpii_16"] = "own"
    """h36m, humaneva: the 2D joints that go in: all that --keypoints has, as published, or MPII's
    16 made from them, as for motion capture."""
    humaneva_joints: Literal[15, 20] = 15
    """humaneva: joints of the 3D poses."""
    subjects_train: Annotated[
        tuple[str, ...], tyro.conf.arg(aliases=["-str", "--train_subjects"])
    ] = ()
    """Who trains; empty means the published subjects, or everybody who has no other part."""
    subjects_validation: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["--val_subjects"])] = ()
    """Who validates after each epoch. Empty: cmu/06 hdm05/dg uiprmd/s07 for mocap; for h36m and
    humaneva those who test, as published, and then the newest weights count as the best."""
    subjects_test: Annotated[
        tuple[str, ...], tyro.conf.arg(aliases=["-ste", "--test_subjects"])
    ] = ()
    """Who tests at the end; empty means S9 S11, Validate/S1 ..., or cmu/07 hdm05/mm uiprmd/s08."""
    actions: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["-a"])] = ()
    """Actions, as whole words: Walking is also "Walking 1", Walk is not WalkDog. Empty or * means
    all."""
    frame_rate: float = 25.0
    """mocap, mannequin: frames per second that motion is brought to."""
    downsample: int = 1
    """Take every so many-th frame of it."""
    field_of_view: tuple[float, float] = (40.0, 80.0)
    """mocap, mannequin: range of what the virtual cameras see along the longer edge, degrees; the
    same number twice makes it known."""
    cameras_at_rest: int = 0
    """mocap, mannequin: so many cameras stand still around a room and film every clip of every
    part, as in Human3.6M; who leaves a picture is cut out of its film. They are the same whatever
    the seed. 0: cameras are drawn, in training one for each window."""
    validation_frames: int = 20_000
    """mocap, mannequin: frames that validate, about: the middle of each clip."""
    mannequin_count: int = 100
    """mannequin: bodies, each with half a minute of motion."""

    def __post_init__(self) -> None:
        refuse_idle(self, _USED_BY)
        at_least_one(
            downsample=self.downsample,
            validation_frames=self.validation_frames,
            mannequin_count=self.mannequin_count,
        )
        need(self.frame_rate > 0, f"--frame_rate must be above 0, not {self.frame_rate}")
        self.view_ranges()
        name = self.dataset
        count = self.cameras_at_rest
        need(count >= 0, f"--cameras_at_rest must not be negative, not {count}")
        if name == "mannequin":
            self._check_nobody_is_named()
        need(
            name in KEYPOINTS or self.keypoints in ("", "gt"),
            f"--keypoints is for Human3.6M and HumanEva: {name} has exact joints alone",
        )
        self.keypoints = self.keypoints or KEYPOINTS.get(name, "gt")
        train, test = separated(self.subjects_train), separated(self.subjects_test)
        held_out = separated(self.subjects_validation)
        self.subjects_test = test or TEST_SUBJECTS.get(name, ())
        self.subjects_validation = held_out or VALIDATION_SUBJECTS.get(name, ())
        usual = TRAIN_SUBJECTS.get(name, ())
        if train in ((), usual):
            train = tuple(one for one in usual if one not in self.held_out)
        self.subjects_train = train
        self.actions = tuple(one for one in separated(self.actions) if one != "*")
        check_disjoint(
            self.subjects_train, self.subjects_validation, self.subjects_test, parts=PARTS
        )

    def _check_nobody_is_named(self) -> None:
        for option in ("subjects_train", "subjects_validation", "subjects_test", "actions"):
            named = separated(getattr(self, option))
            need(not named, f"--{option}: mannequins have no names, and do nothing that has one")

    def view_ranges(self) -> ViewRanges:
        """How virtual cameras see motion. Raises UserError if no camera can see so."""
        return ViewRanges(field_of_view=self.field_of_view)

    @property
    def held_out(self) -> tuple[str, ...]:
        """Those who validate and those who test."""
        return (*self.subjects_validation, *self.subjects_test)

    @property
    def has_validation(self) -> bool:
        """Do others validate than those who test?"""
        return self.dataset == "mannequin" or bool(self.subjects_validation)


@dataclass
class WindowOptions:
    """How windows of frames are cut and changed for training."""

    stride: Annotated[int, tyro.conf.arg(aliases=["-s"])] = 1
    """Output frames of a window. More are faster and learn worse."""
    disable_optimizations: bool = False
    """With --stride 1, use the same form of the network as otherwise, for comparison."""
    no_data_augmentation: Annotated[bool, tyro.conf.arg(aliases=["-no-da"])] = False
    """Do not add the mirror image of every window."""
    subset: float = 1.0
    """Share of the training frames that are used: one stretch of each film, at random."""
    epoch_frames: int = 262_144
    """mocap, mannequin: output frames in an epoch, drawn evenly over the data sets and then their
    subjects, each window seen by a camera of its own. An epoch of films, as --cameras_at_rest makes
    them, is all of their windows once."""
    input_noise: float = 0.0
    """2D errors like a detector's in every frame: for each window between 0 and this times those in
    twod_threed/detector_noise.json, so that exact films are learnt as well."""
    drop_joint_prob: float = 0.0
    """Chance of each 2D joint of each frame to be absent."""

    def __post_init__(self) -> None:
        at_least_one(stride=self.stride, epoch_frames=self.epoch_frames)
        need(0 < self.subset <= 1, f"--subset must be in (0, 1], not {self.subset}")
        need(self.input_noise >= 0, f"--input_noise must not be negative, not {self.input_noise}")
        share = self.drop_joint_prob
        need(0 <= share <= 1, f"--drop_joint_prob must be in [0, 1], not {share}")


@dataclass
class LearningOptions:
    """What the network's numbers mean, and how fast it learns."""

    normalisation: Literal["auto", "screen", "view"] = "auto"
    """screen: the picture's coordinates in, metres out, as published; view: each frame turned to
    its hips and freed of scale, poses divided by the body's size. auto is screen for h36m and
    humaneva and with --subjects_unlabeled, else view."""
    lr_decay: Annotated[float, tyro.conf.arg(aliases=["-lrd"])] = 0.95
    """Factor on the learning rate after every epoch, unless --lr_scheduler says something else."""

    def __post_init__(self) -> None:
        is_share = 0 < self.lr_decay <= 1
        need(is_share, f"--lr_decay must be above 0 and at most 1, not {self.lr_decay}")


@dataclass
class SemiSupervisedOptions:
    """Learning from films without 3D (section 4 of the paper)."""

    subjects_unlabeled: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["-sun"])] = ()
    """h36m, mocap: subjects whose 3D poses are not used. Naming any switches this on."""
    warmup: int = 1
    """First epochs that learn from labels alone."""
    no_bone_length: bool = False
    """Leave out the term that makes bones as long as those of the labelled."""
    no_proj: bool = False
    """Leave out the term that projects poses back to the picture."""
    linear_projection: bool = False
    """Project without the lens's distortion."""

    def __post_init__(self) -> None:
        self.subjects_unlabeled = separated(self.subjects_unlabeled)
        need(self.warmup >= 0, f"--warmup must not be negative, not {self.warmup}")
        if not self.on:
            names = [one.name for one in fields(self)[1:]]
            refuse_given(self, names, "without --subjects_unlabeled")

    @property
    def on(self) -> bool:
        """Are there unlabelled films?"""
        return bool(self.subjects_unlabeled)


@dataclass
class ReportOptions:
    """What is measured, drawn and kept."""

    no_eval: bool = False
    """No validation after each epoch; the newest weights count as the best."""
    export_training_curves: bool = False
    """After each epoch, draw errors over epochs as PNG into the run's folder."""
    checkpoint_frequency: int = 10
    """Every so many epochs, also keep the checkpoint as epoch_<N>.ckpt."""
    no_test_time_augmentation: Annotated[bool, tyro.conf.arg(aliases=["-no-tta"])] = False
    """Test without averaging each film with its mirror image."""
    by_subject: bool = False
    """Test every subject by itself."""
    evaluate: str = ""
    """Do not train: test this file of the run's folder (best.safetensors, epoch_10.ckpt), or
    anything that --load takes."""
    render: bool = False
    """With --evaluate: do not test, but render the film that the --viz options choose."""

    def __post_init__(self) -> None:
        at_least_one(checkpoint_frequency=self.checkpoint_frequency)
        need(not self.render or bool(self.evaluate), "--render goes with --evaluate")
        need(
            not (self.export_training_curves and self.no_eval),
            "--export_training_curves draws what --no_eval leaves out; give one of them",
        )


def _loop() -> LoopOptions:
    return LoopOptions(epochs=60, train_batch_size=1024, test_batch_size=4096, workers=0)


def _optimizer() -> OptimizerOptions:
    return OptimizerOptions(optimizer="amsprop", lr=1e-3, no_grad_clipping=True)


@dataclass
class TemporalTrainOptions:
    """Train a temporal lifter."""

    run: RunOptions = field(default_factory=RunOptions)
    loop: LoopOptions = field(default_factory=_loop)
    optim: OptimizerOptions = field(default_factory=_optimizer)
    start: ResumeOptions = field(default_factory=ResumeOptions)
    network: TemporalNetworkOptions = field(default_factory=TemporalNetworkOptions)
    learning: LearningOptions = field(default_factory=LearningOptions)
    windows: WindowOptions = field(default_factory=WindowOptions)
    semi: SemiSupervisedOptions = field(default_factory=SemiSupervisedOptions)
    report: ReportOptions = field(default_factory=ReportOptions)
    data: TemporalDataOptions = field(default_factory=TemporalDataOptions)
    viz: VizOptions = field(default_factory=VizOptions)

    def __post_init__(self) -> None:
        self._take_resume_file()
        self._check_training()
        if self.semi.on:
            self._check_unlabelled()

    def _take_resume_file(self) -> None:
        """To go on from a file of the run's folder is to load it."""
        file, self.start = self.start.resume_file, ResumeOptions()
        if not file:
            return
        need(self.run.resume, f"{file}: a file's name goes with --resume or -r")
        place = Path(self.run.checkpoint_dir) / self.run_name / file
        need(place.suffix == ".ckpt", f"--resume takes a .ckpt file, not {file}")
        self.run = replace(self.run, resume=False, load=str(place))

    def _check_training(self) -> None:
        batch, stride, report = self.loop.train_batch_size, self.windows.stride, self.report
        if self.data.dataset in FIXED_FILMS or self.data.cameras_at_rest:
            refuse_given(self.windows, ("epoch_frames",), "where the films are given")
        need(batch >= stride, f"--batch_size {batch} holds no window of --stride {stride}")
        check_rendered(self.viz, report.render)
        need(
            not (report.evaluate and (self.run.resume or self.run.load)),
            "--evaluate tests and --resume trains; give one of them",
        )
        if not self.data.has_validation or report.no_eval:
            problem = "--early_stop_patience needs --subjects_validation, and no --no_eval"
            need(self.loop.early_stop_patience is None, problem)

    def _check_unlabelled(self) -> None:
        data, semi = self.data, self.semi
        need(
            data.dataset in ("h36m", "mocap"),
            "--subjects_unlabeled is for temporal_h36m and temporal_mocap",
        )
        need(
            self.learning.normalisation != "view",
            "--subjects_unlabeled needs --normalisation screen, in which poses are in metres",
        )
        if data.subjects_train == tuple(
            one for one in TRAIN_SUBJECTS.get(data.dataset, ()) if one not in data.held_out
        ):
            rest = tuple(one for one in data.subjects_train if one not in semi.subjects_unlabeled)
            self.data = data = replace(data, subjects_train=rest)
        check_disjoint(data.subjects_train, semi.subjects_unlabeled, data.held_out, parts=PARTS)

    @property
    def normalisation(self) -> Normalisation:
        """What --normalisation auto stands for here, or what it was told."""
        chosen = self.learning.normalisation
        if chosen != "auto":
            return chosen
        return "screen" if self.data.dataset in FIXED_FILMS or self.semi.on else "view"

    @property
    def run_name(self) -> str:
        """Name of the run's folder."""
        return f"temporal_{self.data.dataset}_{self.run.exp}"


def train_defaults(dataset: TemporalDataset) -> TemporalTrainOptions:
    """What `train.py temporal_<dataset>` does if nothing else is said.

    The published settings; for HumanEva-I those of its documentation, many short epochs.
    """
    data = TemporalDataOptions(dataset=dataset)
    if dataset != "humaneva":
        return TemporalTrainOptions(data=data)
    loop = replace(_loop(), epochs=1000, train_batch_size=128)
    return TemporalTrainOptions(data=data, loop=loop, learning=LearningOptions(lr_decay=0.996))
