"""How well a network tells hidden joints from seen ones."""

from dataclasses import dataclass

import numpy as np

from utils.comparison import aligned


@dataclass(frozen=True)
class VisibilityScores:
    """Of each of J joints, in per cent; NaN where nobody's is known, or none is hidden."""

    known: np.ndarray
    """(J,) people of whom it is known"""
    hidden: np.ndarray
    """(J,) share of these that is hidden: the average precision of a guess"""
    accuracy: np.ndarray
    """(J,) said rightly, at a probability of one half"""
    average_precision: np.ndarray
    """(J,) of the hidden ones, the likeliest to be hidden first"""


def average_precision(score: np.ndarray, positive: np.ndarray) -> float:
    """Mean over the positives (N,) bool of the precision among all that score (N,) as high or
    higher, in [0, 1]; NaN without positives. Manning, Raghavan, Schuetze 2008, section 8.4."""
    if not positive.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits, ranked = np.cumsum(positive[order]), score[order]
    # Equal scores are one step: each counts all that share it.
    last = np.searchsorted(-ranked, -ranked, side="right") - 1
    precision = hits[last] / (last + 1)
    return float(precision[positive[order]].mean())


def score_visibility(probability: np.ndarray, visibility: np.ndarray) -> VisibilityScores:
    """probability (N, J) of being seen; visibility (N, J): 1 seen, 0 hidden, NaN not known."""
    rows = []
    for says, truth in zip(probability.T, visibility.T, strict=True):
        known = np.isfinite(truth)
        says, hidden = says[known], truth[known] == 0
        count = max(len(hidden), 1)
        right = ((says < 0.5) == hidden).sum() / count if len(hidden) else np.nan
        share = hidden.sum() / count if len(hidden) else np.nan
        rows.append((len(hidden), 100 * share, 100 * right, 100 * average_precision(-says, hidden)))
    known, *shares = np.array(rows, np.float64).T
    return VisibilityScores(known.astype(np.int64), *shares)


def visibility_table(scores: VisibilityScores, joints: tuple[str, ...]) -> str:
    """A line for each joint, and the means over the joints."""
    lines: list[tuple[str, ...]] = [("hidden or seen, per cent", "people", "hidden", "right", "AP")]
    shares = (scores.hidden, scores.accuracy, scores.average_precision)
    for place, joint in enumerate(joints):
        cells = (_number(values[place]) for values in shares)
        lines.append((joint.replace("_", " "), str(scores.known[place]), *cells))
    means = (_number(values[np.isfinite(values)].mean()) for values in shares)
    lines += [(), ("mean of joints", str(scores.known.sum()), *means)]
    return aligned(lines)


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.1f}"
