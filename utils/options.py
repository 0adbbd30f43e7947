"""Option groups that every training subcommand shares.

Subpackages put these dataclasses into their own as fields; the command line flattens them. The
string under a field is its help. `None` means "no limit" or "off".
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from utils.errors import need
from utils.option_checks import refuse_given


def _positive(**values: float | None) -> None:
    for name, value in values.items():
        need(value is None or value > 0, f"--{name} must be above 0, not {value}")


def _not_negative(**values: float) -> None:
    for name, value in values.items():
        need(value >= 0, f"--{name} must not be negative, not {value}")


@dataclass
class RunOptions:
    """Where a run keeps its files, and what it starts from."""

    exp: str = "default"
    """Name of the experiment: files go to <checkpoint_dir>/<subcommand>_<exp>/."""
    checkpoint_dir: Annotated[str, tyro.conf.arg(aliases=["-c", "--checkpoint"])] = (
        "model_checkpoints"
    )
    """Folder that holds the run folders."""
    tb_dir: str = "tb_logs"
    """Folder for TensorBoard logs: they go to <tb_dir>/<subcommand>_<exp>/."""
    tb_log_freq: int = 101
    """Steps between two TensorBoard records of losses, learning rate and magnitudes."""
    load: str = ""
    """What to start from. A run folder or a .ckpt file continues that run; a .safetensors file, a
    public checkpoint or the name of a shipped model gives only its weights."""
    resume: Annotated[bool, tyro.conf.arg(aliases=["-r"])] = False
    """Continue the run of this name from its last checkpoint, with the options it was started with
    but for those of this command."""
    overwrite: bool = False
    """Replace an earlier run of this name."""
    seed: int = 234
    """Seed of all random numbers."""

    def __post_init__(self) -> None:
        need(
            self.exp not in ("", ".", "..") and not set(self.exp) & set("/\\"),
            f"--exp must be a plain name, not {self.exp!r}",
        )
        need(not (self.resume and self.overwrite), "give --resume or --overwrite, not both")
        need(not (self.resume and self.load), "give --resume or --load, not both")
        _positive(tb_log_freq=self.tb_log_freq)
        _not_negative(seed=self.seed)


@dataclass
class LoopOptions:
    """How long to train, on which devices, in which batches."""

    epochs: Annotated[int, tyro.conf.arg(aliases=["-e"])] = 50
    """Passes over the training data."""
    max_steps: int | None = None
    """Stop after this many steps, counted from the start of the run."""
    max_minutes: float | None = None
    """Stop after this many minutes, counted from the start of this command."""
    early_stop_patience: int | None = None
    """Stop when validation has not improved for this many epochs."""
    workers: int = 6
    """Processes that load data (no more than the machine has cores; 0 loads in the main one)."""
    train_batch_size: Annotated[int, tyro.conf.arg(aliases=["-b", "--batch_size"])] = 6
    """Samples in a training batch, on each device."""
    test_batch_size: int = 6
    """Samples in a validation batch, on each device."""
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    devices: int = 1
    """Devices (GPUs, or processes on CPU) on each machine; under torchrun, what it started."""
    num_nodes: int = 1
    """Machines; start the command on each of them (or use torchrun)."""
    strategy: Literal["auto", "ddp", "ddp_find_unused_parameters_true"] = "auto"
    """How several processes work together; auto is ddp when there is more than one."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Number format; auto is bf16-mixed where the device computes in bf16, else 32-true."""
    ema_decay: float = 0.0
    """Decay per step of a moving average of the weights, such as 0.999; validation and the best
    weights then use the average. 0 is off."""
    compile: bool = False
    """Compile the model with torch.compile (needs a C++ compiler; pays off in long runs)."""
    checkpoint_minutes: float | None = None
    """Also write the last checkpoint every so many minutes, within an epoch too."""

    def __post_init__(self) -> None:
        _positive(
            epochs=self.epochs,
            max_steps=self.max_steps,
            max_minutes=self.max_minutes,
            early_stop_patience=self.early_stop_patience,
            train_batch_size=self.train_batch_size,
            test_batch_size=self.test_batch_size,
            devices=self.devices,
            num_nodes=self.num_nodes,
            checkpoint_minutes=self.checkpoint_minutes,
        )
        _not_negative(workers=self.workers)
        need(
            0 <= self.ema_decay < 1,
            f"--ema_decay must be in [0, 1), such as 0.999: {self.ema_decay}",
        )


@dataclass
class OptimizerOptions:
    """The optimizer and its learning rate."""

    optimizer: Literal["rmsprop", "adam", "amsprop"] = "rmsprop"
    """Optimizer; amsprop is Adam in its AMSGrad variant."""
    use_amsprop: bool = False
    """Same as --optimizer amsprop."""
    lr: Annotated[float, tyro.conf.arg(aliases=["-lr", "--learning_rate"])] = 2.5e-4
    """Learning rate (that of the first step after warm-up)."""
    momentum: float = 0.0
    """Momentum of rmsprop."""
    weight_decay: Annotated[float, tyro.conf.arg(aliases=["--wd"])] = 0.0
    """Weight of the L2 penalty on the weights."""
    grad_clip: float | None = 10.0
    """Largest total norm of the gradient; longer ones are scaled down to it. None leaves gradients
    as they are."""
    no_grad_clipping: bool = False
    """Same as --grad_clip None."""
    lr_scheduler: Literal["none", "step", "cosine"] = "none"
    """Course of the learning rate: constant; times --gamma at each epoch in --schedule; or a half
    cosine from --lr at the start to 0 at the last step, or when --max_minutes are over. What
    --resume takes up before that falls on from where it was."""
    schedule: tuple[int, ...] = ()
    """Epochs (counted from 0) at which --lr_scheduler step multiplies the learning rate."""
    gamma: float = 0.1
    """Factor of --lr_scheduler step."""
    warmup_steps: int = 0
    """First steps over which the learning rate rises linearly to --lr."""

    def __post_init__(self) -> None:
        if self.use_amsprop:
            # Once said, it is said by --optimizer alone, which a later command may then change;
            # the same holds for --grad_clip.
            self.optimizer, self.use_amsprop = "amsprop", False
        if self.no_grad_clipping:
            self.grad_clip, self.no_grad_clipping = None, False
        _positive(lr=self.lr, grad_clip=self.grad_clip, gamma=self.gamma)
        _not_negative(
            momentum=self.momentum, weight_decay=self.weight_decay, warmup_steps=self.warmup_steps
        )
        need(
            self.momentum == 0 or self.optimizer == "rmsprop",
            f"--momentum is for rmsprop, not for {self.optimizer}",
        )
        need(
            bool(self.schedule) == (self.lr_scheduler == "step"),
            "--schedule (epochs) and --lr_scheduler step go together",
        )
        if self.lr_scheduler != "step":
            refuse_given(self, ("gamma",), "without --lr_scheduler step")
        need(all(epoch > 0 for epoch in self.schedule), "--schedule takes epochs above 0")


@dataclass
class TrainingOptions:
    """The three groups together, for code that has no options of its own to add."""

    run: RunOptions
    loop: LoopOptions
    optim: OptimizerOptions
