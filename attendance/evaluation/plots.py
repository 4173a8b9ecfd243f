"""Plots of evaluations as PNG, drawn without a display."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from attendance.core import metrics
from attendance.core.metrics import Doubles
from attendance.evaluation.all_pairs import BINS, AllPairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from attendance.evaluation.detection import DetectionReport
    from attendance.evaluation.identification import IdentificationReport
    from attendance.evaluation.side_by_side import SideBySideReport
    from attendance.evaluation.verification import VerificationReport

SAME, OTHER, MARK = "#1f6feb", "#d9480f", "#495057"
ROC_AXES: Any = {"xscale": "log", "xlim": (1e-5, 0.03), "xlabel": "FAR", "ylabel": "VAL"}
STYLE: Any = {
    "figure.figsize": (11, 4.2),
    "figure.dpi": 120,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


def plot_verification(report: VerificationReport, target: Path) -> None:
    """ROC with a logarithmic FAR axis, and the similarities of both kinds of pairs."""

    def draw(curve: Axes, scores: Axes) -> None:
        draw_roc(curve, report)
        draw_similarities(scores, report.curves.everything, report.threshold)

    _save(target, f"Verification, {report.model_id}, {report.variant}", draw)


def plot_side_by_side(report: SideBySideReport, target: Path) -> None:
    """All ROC curves on one axis, and what each embedder gives for its time."""
    title = f"Verification, {len(report.embedders)} embedders"
    _save(target, title, lambda left, right: draw_side_by_side(left, right, report))


def plot_identification(report: IdentificationReport, target: Path) -> None:
    """FNIR against FPIR with a logarithmic axis, and the scores of enrolled and strangers."""
    found = report.scores
    shown = found.mated[np.isfinite(found.mated)]

    def draw(curve: Axes, scores: Axes) -> None:
        points = metrics.roc(found.mated, found.nonmated)
        curve.plot(points.far, 1 - points.val, color=SAME)
        floor = 1 / max(len(found.nonmated), 2)
        curve.set(xscale="log", xlim=(floor, 1), ylim=(0, 1), xlabel="FPIR", ylabel="FNIR")
        curve.set_title(f"{len(found.mated)} probes, {len(found.nonmated)} strangers")
        _histogram(scores, shown, SAME, f"own name first ({len(shown)})")
        _histogram(scores, found.nonmated, OTHER, f"strangers ({len(found.nonmated)})")
        _mark(scores, report.configured.threshold, "configured")
        scores.set(xlabel="score", ylabel="share of photos", xlim=(-0.25, 1))
        scores.legend()

    _save(target, f"Identification, {report.n_gallery} enrolled, {report.model_id}", draw)


def plot_detection(report: DetectionReport, target: Path) -> None:
    """Recall by size of face, with how many faces that is."""

    def draw(recall: Axes, counts: Axes) -> None:
        sizes = [f"≥ {key} px" for key in report.recall]
        recall.bar(sizes, list(report.recall.values()), color=SAME, width=0.6)
        recall.set(ylim=(0, 1), ylabel=f"recall at IoU {report.min_iou}")
        recall.set_title(f"{report.false_per_image:.2f} false detections an image")
        counts.bar(sizes, list(report.n_faces_by_height.values()), color=MARK, width=0.6)
        counts.set(ylabel="faces")
        counts.set_title(f"{report.n_faces} faces in {report.n_images} images")

    _save(target, f"Detection from {report.min_face_px} px", draw)


def _save(target: Path, title: str, draw: Callable[[Axes, Axes], None]) -> None:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure()
        FigureCanvasAgg(figure)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
        draw(*figure.subplots(1, 2))
        figure.savefig(target, format="png")


def draw_roc(axes: Axes, report: VerificationReport) -> None:
    """VAL against FAR over all pairs, with the intervals of the figures."""
    pairs = report.all_pairs
    _draw_curve(axes, report.curves.everything, "all pairs", SAME)
    figures = pairs.val_at_far
    x = [float(key) for key in figures]
    centre = np.array([figure.val for figure in figures.values()])
    edges = np.array([(figure.low, figure.high) for figure in figures.values()])
    axes.vlines(x, edges[:, 0], edges[:, 1], color=MARK, lw=3, alpha=0.5, label="95 % interval")
    axes.plot(x, centre, "o", color=MARK, ms=5)
    axes.set(ylim=(0, 1), **ROC_AXES)
    axes.set_title(f"{pairs.n_same:,} same, {pairs.n_cross:,} different")
    axes.legend(loc="lower right")


def draw_side_by_side(curves: Axes, costs: Axes, report: SideBySideReport) -> None:
    """VAL against FAR of each embedder; and VAL at FAR 1e-3 against milliseconds a face."""
    for number, one in enumerate(report.embedders):
        colour, figure = f"C{number % 10}", one.report.all_pairs.val_at_far["1e-3"]
        _draw_curve(curves, one.report.curves.everything, one.name, colour)
        bars = [[max(figure.val - figure.low, 0)], [max(figure.high - figure.val, 0)]]
        costs.errorbar(
            [one.ms_per_face], [figure.val], bars, fmt="o", color=colour, capsize=3, label=one.name
        )
    pairs = report.embedders[0].report.all_pairs
    curves.set(**ROC_AXES)
    curves.set_title(f"{pairs.n_same:,} same, {pairs.n_cross:,} different")
    curves.legend(loc="lower right")
    costs.set(xlim=(0, None), xlabel="milliseconds a face", ylabel="VAL at FAR 1e-3")
    costs.set_title("95 % intervals over people")


def _draw_curve(axes: Axes, everything: AllPairs, label: str, colour: str) -> None:
    far = np.arange(1, len(everything.tail) + 1) / max(everything.n_cross, 1)
    val = metrics.accepted_share(everything.genuine, everything.tail)
    kept = _thinned(far)
    axes.plot(far[kept], val[kept], color=colour, label=label)


def _thinned(far: Doubles) -> metrics.Integers:
    """Some hundred points, evenly spaced on a logarithmic axis."""
    if not len(far):
        return np.zeros(0, np.intp)
    return np.unique(np.geomspace(1, len(far), 400).astype(np.intp)) - 1


def draw_similarities(axes: Axes, everything: AllPairs, threshold: float) -> None:
    """How alike pairs of one person and of two people are."""
    _histogram(axes, everything.genuine, SAME, f"same person ({everything.n_same:,})")
    shares = everything.impostor_histogram / max(everything.n_cross, 1)
    axes.stairs(
        shares, BINS, color=OTHER, fill=True, alpha=0.5,
        label=f"different people ({everything.n_cross:,})",
    )  # fmt: skip
    _mark(axes, threshold, "threshold")
    axes.set(xlabel="similarity", ylabel="share of pairs", xlim=(-0.5, 1))
    axes.legend()


def _histogram(axes: Axes, values: metrics.Floats, colour: str, label: str) -> None:
    shares = np.histogram(values, BINS)[0] / max(len(values), 1)
    axes.stairs(shares, BINS, color=colour, fill=True, alpha=0.5, label=label)


def _mark(axes: Axes, threshold: float, label: str) -> None:
    axes.axvline(threshold, color=MARK, ls="--", lw=1.2, label=f"{label} {threshold:.3f}")
