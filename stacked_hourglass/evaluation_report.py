"""Scores of several models side by side: a table, files for other programs, curves."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from stacked_hourglass.pck import (
    annotated_counts,
    annotation_mean,
    area_under_curve,
    joint_mean,
    pck,
)
from utils.atomic import atomic_path
from utils.comparison import aligned
from utils.plots import save_curves
from utils.skeletons import Skeleton

# 0, 0.01, ... 0.5: the grid of the MPII evaluation.
THRESHOLDS = np.linspace(0, 0.5, 51)


@dataclass(frozen=True)
class Metric:
    """What the scores are called, and the one threshold (on the grid) that the table shows."""

    name: str
    threshold: float
    unit: str

    @property
    def place(self) -> int:
        """Of the threshold on the grid."""
        return int(np.abs(THRESHOLDS - self.threshold).argmin())

    @property
    def title(self) -> str:
        return f"{self.name}@{self.threshold:g}"


@dataclass(frozen=True)
class ModelScores:
    """How one model does, from its normalised distances (N, J) to the annotated joints."""

    model: str
    file: Path
    distances: np.ndarray
    skeleton: Skeleton

    @cached_property
    def counts(self) -> np.ndarray:
        """Annotated people of each joint (J,)."""
        return annotated_counts(self.distances)

    @cached_property
    def curves(self) -> dict[str, np.ndarray]:
        """Per cent at `THRESHOLDS` (51,) of every row of the table, by the row's name.

        A group (shoulder) is the plain average of its joints; the head is the head top alone, as
        in the tables of the public hourglass repositories. `mean` weighs the joints the same,
        `mean_by_count` every annotation.
        """
        joints = pck(self.distances, THRESHOLDS)
        curves = {}
        for group, places in self.skeleton.groups.items():
            curves[group] = joint_mean(joints[:, places])
        for place, joint in enumerate(self.skeleton.joints):
            curves[row_of(joint, self.skeleton)] = joints[:, place]
        curves["mean"] = joint_mean(joints)
        curves["mean_by_count"] = annotation_mean(joints, self.counts)
        return curves

    def at(self, metric: Metric) -> dict[str, float]:
        """The rows of `curves` at the metric's threshold."""
        return {row: float(curve[metric.place]) for row, curve in self.curves.items()}

    @cached_property
    def areas(self) -> dict[str, float]:
        """Area under each of `curves`, in per cent."""
        return {row: float(area_under_curve(c, THRESHOLDS)) for row, c in self.curves.items()}


def row_of(joint: str, skeleton: Skeleton) -> str:
    """Name of a joint's row, which no group has, nor a mean: "head alone"."""
    is_taken = joint in (*skeleton.groups, "mean", "mean_by_count")
    return f"{joint} alone" if is_taken else joint


def table(models: Sequence[ModelScores], metric: Metric) -> str:
    """Rows of joints, a column per model; per cent at the metric's threshold."""
    skeleton, counts = models[0].skeleton, models[0].counts
    lines: list[tuple[str, ...]] = [("", "people", *(scores.model for scores in models)), ()]
    ungrouped = dict.fromkeys(skeleton.joints)
    for group, places in skeleton.groups.items():
        lines.append((group, str(counts[list(places)].sum()), *_cells(models, group, metric)))
        for place in places:
            lines.append(_joint_line(models, place, metric))
            ungrouped.pop(skeleton.joints[place])
    lines.append(("others", "", *("" for _ in models)))
    lines += [_joint_line(models, skeleton.index(joint), metric) for joint in ungrouped]
    lines.append(())
    lines.append(("mean of joints", "", *_cells(models, "mean", metric)))
    lines.append(("mean by count", str(counts.sum()), *_cells(models, "mean_by_count", metric)))
    areas = (_number(scores.areas["mean"]) for scores in models)
    lines.append((f"AUC 0 to {THRESHOLDS[-1]:g}", "", *areas))
    return f"{metric.title} in per cent, {len(models[0].distances)} people\n\n{aligned(lines)}"


def _joint_line(models: Sequence[ModelScores], place: int, metric: Metric) -> tuple[str, ...]:
    skeleton, people = models[0].skeleton, str(models[0].counts[place])
    row = row_of(skeleton.joints[place], skeleton)
    return (f"  {row.replace('_', ' ')}", people, *_cells(models, row, metric))


def _cells(models: Sequence[ModelScores], row: str, metric: Metric) -> list[str]:
    return [_number(scores.at(metric)[row]) for scores in models]


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def write_report(models: Sequence[ModelScores], metric: Metric, folder: Path) -> list[Path]:
    """Write results.json, results.csv and a PNG of curves per group and for the mean.

    Returns the files. Raises UserError when the folder cannot be written.
    """
    files = [folder / "results.json", folder / "results.csv"]
    _write_json(files[0], models, metric)
    _write_csv(files[1], models, metric)
    for row in (*models[0].skeleton.groups, "mean"):
        files.append(folder / f"{metric.name}_{row}.png")
        _draw_curves(files[-1], models, metric, row)
    return files


def _draw_curves(path: Path, models: Sequence[ModelScores], metric: Metric, row: str) -> None:
    curves = {}
    for scores in models:
        curve = scores.curves[row]
        curves[f"{scores.model}  {_number(scores.at(metric)[row])}"] = curve
    save_curves(
        path,
        THRESHOLDS,
        curves,
        title=f"{metric.name}, {'mean of the joints' if row == 'mean' else row}",
        x_label=f"Distance to the annotation, in {metric.unit}",
        y_label="Joints within the distance, per cent",
        y_limits=(0, 100),
        marks=(metric.threshold,),
        legend_title=metric.title,
    )


def _write_json(path: Path, models: Sequence[ModelScores], metric: Metric) -> None:
    content = {
        "metric": metric.name,
        "threshold": metric.threshold,
        "people": len(models[0].distances),
        "counts": dict(zip(models[0].skeleton.joints, models[0].counts.tolist(), strict=True)),
        "curve_thresholds": THRESHOLDS.round(2).tolist(),
        "models": [_model_content(scores, metric) for scores in models],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")


def _model_content(scores: ModelScores, metric: Metric) -> dict[str, object]:
    return {
        "model": scores.model,
        "file": str(scores.file),
        "scores": {row: _or_null(value) for row, value in scores.at(metric).items()},
        "auc": {row: _or_null(area) for row, area in scores.areas.items()},
        "curves": {row: [_or_null(v) for v in curve] for row, curve in scores.curves.items()},
    }


def _or_null(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _write_csv(path: Path, models: Sequence[ModelScores], metric: Metric) -> None:
    """One line per model: its score in every row of the table, and the area under the mean."""
    rows = list(models[0].curves)
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "metric", *rows, "auc"])
        for scores in models:
            values = [*scores.at(metric).values(), scores.areas["mean"]]
            cells = ["" if np.isnan(value) else f"{value:.4f}" for value in values]
            writer.writerow([scores.model, metric.title, *cells])
