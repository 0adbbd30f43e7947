"""Scores of several lifters side by side: tables, a file for other programs, plots."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.atomic import atomic_path
from utils.bar_charts import save_bars
from utils.comparison import aligned
from utils.plots import save_curves
from utils.pose_metrics import AUC_THRESHOLDS, PCK_THRESHOLD, joint_mean, pose_mean

UNITS = {
    "MPJPE": "mm",
    "P-MPJPE": "mm",
    "N-MPJPE": "mm",
    "PCK3D@150": "per cent",
    "AUC": "per cent",
    "MPJVE": "mm/frame",
    "missing": "per cent",
}
"""Every measure and its unit: errors, then the share of joints that are right, then velocity's
error, and the share of joints that were not predicted."""

_DETAILED = ("MPJPE", "P-MPJPE")


@dataclass(frozen=True)
class Grouping:
    """Poses put together: `codes` (N,) point into `names`; `kind` says what the names are."""

    kind: str
    names: tuple[str, ...]
    codes: np.ndarray

    @classmethod
    def of(cls, kind: str, labels: np.ndarray, order: Sequence[str] = ()) -> "Grouping":
        """Group by labels (N,); names in `order` come first, in that order, the rest sorted."""
        found, inverse = np.unique(labels, return_inverse=True)
        present = [name for name in order if name in found]
        names = present + [name for name in found.tolist() if name not in present]
        code_of = np.array([names.index(name) for name in found.tolist()], np.int64)
        return cls(kind, tuple(names), code_of[inverse])


@dataclass(frozen=True)
class GroupScores:
    """Means within each of G groups, every pose weighing the same."""

    grouping: Grouping
    counts: np.ndarray
    """(G,) poses"""
    values: dict[str, np.ndarray]
    """measure -> (G,)"""
    joints: dict[str, np.ndarray]
    """measure -> (G, J)"""
    curves: np.ndarray
    """(G, T) per cent of joints within `AUC_THRESHOLDS`"""

    def mean(self, measure: str) -> float:
        """Mean over the groups, each weighing the same."""
        return float(joint_mean(self.values[measure]))

    def joint_means(self, measure: str) -> np.ndarray:
        """(J,) mean over the groups that have the joint; NaN where none has it."""
        return joint_mean(self.joints[measure].T)

    @property
    def curve(self) -> np.ndarray:
        """(T,) mean over the groups."""
        return joint_mean(self.curves.T)


@dataclass(frozen=True)
class ModelScores:
    """How one model does: grouped in each way, the first of which makes its mean."""

    model: str
    file: Path
    joints: tuple[str, ...]
    groups: tuple[GroupScores, ...]

    @property
    def main(self) -> GroupScores:
        """What the model is judged by."""
        return self.groups[0]


def group_scores(
    grouping: Grouping, measures: Mapping[str, np.ndarray], curves: np.ndarray
) -> GroupScores:
    """Means of measures (N, J) and curves (N, T) within each group."""
    members = [np.flatnonzero(grouping.codes == code) for code in range(len(grouping.names))]
    return GroupScores(
        grouping,
        np.array([len(rows) for rows in members]),
        {name: np.array([pose_mean(v[rows]) for rows in members]) for name, v in measures.items()},
        {
            name: np.stack([joint_mean(v[rows].T) for rows in members])
            for name, v in measures.items()
        },
        np.stack([joint_mean(curves[rows].T) for rows in members]),
    )


def tables(models: Sequence[ModelScores]) -> str:
    """All measures of every model; then errors by group and by joint, a column per model."""
    main = models[0].main
    kind, count = main.grouping.kind, len(main.grouping.names)
    over = f"mean over {count} {kind}s" if count > 1 else f"{kind} {main.grouping.names[0]}"
    head = f"{main.counts.sum()} poses, {len(models[0].joints)} joints, {over}"
    overview: list[Sequence[str]] = [("", *UNITS), ("", *UNITS.values()), ()]
    for scores in models:
        overview.append((scores.model, *(_number(scores.main.mean(name)) for name in UNITS)))
    parts = [f"{head}\n\n{aligned(overview)}"]
    for number in range(len(models[0].groups)):
        parts += [_group_table(models, number, measure) for measure in _DETAILED]
    parts += [_joint_table(models, measure) for measure in _DETAILED]
    return "\n\n".join(parts)


def _group_table(models: Sequence[ModelScores], number: int, measure: str) -> str:
    first = models[0].groups[number]
    groups = [scores.groups[number] for scores in models]
    title = f"{measure} by {first.grouping.kind}, {UNITS[measure]}"
    lines: list[Sequence[str]] = [(title, "poses", *(scores.model for scores in models)), ()]
    for place, name in enumerate(first.grouping.names):
        cells = [_number(group.values[measure][place]) for group in groups]
        lines.append((name, str(first.counts[place]), *cells))
    means = [_number(group.mean(measure)) for group in groups]
    return aligned([*lines, (), ("mean", str(first.counts.sum()), *means)])


def _joint_table(models: Sequence[ModelScores], measure: str) -> str:
    title = f"{measure} by joint, {UNITS[measure]}"
    lines: list[Sequence[str]] = [(title, *(scores.model for scores in models)), ()]
    columns = [scores.main.joint_means(measure) for scores in models]
    for place, joint in enumerate(models[0].joints):
        lines.append((joint.replace("_", " "), *(_number(column[place]) for column in columns)))
    return aligned(lines)


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def write_report(models: Sequence[ModelScores], folder: Path) -> list[Path]:
    """Write results.csv, bars of MPJPE by group and joint, and the curve of PCK, into `folder`.

    Returns the files. Raises UserError when the folder cannot be written.
    """
    main = models[0].main
    kind = main.grouping.kind
    files = [
        folder / "results.csv",
        folder / f"MPJPE_by_{kind}.png",
        folder / "MPJPE_by_joint.png",
        folder / "PCK3D.png",
    ]
    _write_csv(files[0], models)
    groups = {s.model: [*s.main.values["MPJPE"], s.main.mean("MPJPE")] for s in models}
    _draw_bars(files[1], (*main.grouping.names, "mean"), groups, kind)
    joints = {s.model: s.main.joint_means("MPJPE").tolist() for s in models}
    _draw_bars(files[2], [joint.replace("_", " ") for joint in models[0].joints], joints, "joint")
    _draw_curves(files[3], models)
    return files


def _draw_bars(
    path: Path, names: Sequence[str], bars: Mapping[str, Sequence[float]], kind: str
) -> None:
    save_bars(path, names, bars, title=f"MPJPE by {kind}", x_label="Mean error, mm")


def _draw_curves(path: Path, models: Sequence[ModelScores]) -> None:
    save_curves(
        path,
        AUC_THRESHOLDS,
        {f"{s.model}  {_number(s.main.mean('AUC'))}": s.main.curve for s in models},
        title=f"PCK3D, mean over {models[0].main.grouping.kind}s",
        x_label="Distance to the true place, mm",
        y_label="Joints within the distance, per cent",
        y_limits=(0, 100),
        marks=(PCK_THRESHOLD,),
        legend_title="AUC",
    )


def _write_csv(path: Path, models: Sequence[ModelScores]) -> None:
    """A line for every number: model, what of (mean, action, source, joint), its name, measure."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "of", "name", "measure", "unit", "value"])
        for scores in models:
            for of, name, measure, value in _numbers(scores):
                cell = "" if np.isnan(value) else f"{value:.4f}"
                writer.writerow([scores.model, of, name, measure, UNITS[measure], cell])


def _numbers(scores: ModelScores) -> list[tuple[str, str, str, float]]:
    """(what of, name, measure, value) of all that is known about a model."""
    found = [("mean", "", measure, scores.main.mean(measure)) for measure in UNITS]
    for group in scores.groups:
        for place, name in enumerate(group.grouping.names):
            found += [(group.grouping.kind, name, m, group.values[m][place]) for m in UNITS]
    columns = {measure: scores.main.joint_means(measure) for measure in UNITS}
    for place, joint in enumerate(scores.joints):
        found += [("joint", joint, measure, columns[measure][place]) for measure in UNITS]
    return found
