"""What a training run starts from: weights of another run, perhaps narrower or of other joints."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from stacked_hourglass.description import Description
from stacked_hourglass.model import StackedHourglass
from stacked_hourglass.options import HourglassTrainOptions
from stacked_hourglass.predictor import read_hourglass
from stacked_hourglass.widening import widen
from utils.errors import need
from utils.options import RunOptions
from utils.run_folder import find_start
from utils.skeletons import skeleton_named
from utils.weights import load_into

# Axis of the joints in weights that have one.
_JOINT_AXIS = {
    ".score.weight": 0,
    ".score.bias": 0,
    ".merge_score.weight": 1,
    "visibility.answer.weight": 0,
    "visibility.answer.bias": 0,
    "visibility.sharpness": 0,
}
_ADDED = ("visibility.", ".attention.")
"""Parts that one of two networks may lack: they begin anew, or are left out."""


def check_start(options: HourglassTrainOptions, run_name: str) -> None:
    """Raises UserError for a run that cannot begin: as `find_start`, and where the network that
    --load names is of another size."""
    load = find_start(options.run, run_name).weights
    if not load:
        return
    new, old = options.network.architecture(), read_hourglass(load)[1].architecture
    need(
        (new.stacks, new.blocks) == (old.stacks, old.blocks) and new.features % old.features == 0,
        f"--load {load} needs --stacks {old.stacks} --blocks {old.blocks} and --features "
        f"{old.features} or a multiple",
    )


def load_start(
    model: StackedHourglass, description: Description, options: HourglassTrainOptions
) -> RunOptions:
    """Give a new model the weights that --load names, if they are for other joints or fewer
    features, or lack a part.

    Joints are known by their names; those that the old network did not have begin anew. -> options
    of the run, in which what is loaded is no longer named. Raises UserError if the weights are of
    another kind or size.
    """
    load = options.run.load
    run_name = f"hourglass_{options.data.dataset}_{options.run.exp}"
    if not load or not find_start(options.run, run_name).weights:
        return options.run
    weights, old = read_hourglass(load)
    joints, known = (skeleton_named(one.skeleton).joints for one in (description, old))
    own = model.state_dict()
    wider = description.architecture.features > old.architecture.features
    if wider:  # first the joints and parts at the old width, then all of it wider
        narrow = replace(description.architecture, features=old.architecture.features)
        own = StackedHourglass(narrow).state_dict()
    lacking = {name: own[name] for name in _parts(own) - weights.keys()}
    needless = _parts(weights) - own.keys()
    if joints == known and not lacking and not needless and not wider:
        return options.run
    kept = {name: value for name, value in weights.items() if name not in needless}
    adapted = lacking | for_joints(kept, own, known, joints)
    if wider:
        adapted = widen(adapted, model.state_dict(), options.run.seed)
    load_into(model, adapted, load)
    if joints != known:
        shared = sum(joint in known for joint in joints)
        print(f"--load {load} knows {shared} of the {len(joints)} joints; the others begin anew")
    return replace(options.run, load="")


def _parts(weights: Mapping[str, Tensor]) -> set[str]:
    return {name for name in weights if any(part in name for part in _ADDED)}


def for_joints(
    weights: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    known: tuple[str, ...],
    joints: tuple[str, ...],
) -> dict[str, Tensor]:
    """Weights of a network for the joints `known`, as those of one for `joints`: `own` where a
    joint was not known."""
    shared = [joint for joint in joints if joint in known]
    to, since = ([names.index(joint) for joint in shared] for names in (joints, known))
    result = dict(weights)
    for name, value in weights.items():
        axis = next((axis for end, axis in _JOINT_AXIS.items() if name.endswith(end)), None)
        if axis is None or name not in own:
            continue
        old, new = value.movedim(axis, 0), own[name].movedim(axis, 0).clone()
        if old.shape[1:] == new.shape[1:]:  # else `load_into` says what does not fit
            new[to] = old[since]
            result[name] = new.movedim(0, axis)
    return result
