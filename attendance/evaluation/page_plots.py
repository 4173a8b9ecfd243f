"""Plots of evaluations for their pages: text and axes in ink that a page replaces by its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from attendance.evaluation.damage import FACE_SIZE, JPEG
from attendance.evaluation.html_page import INK
from attendance.evaluation.plots import (
    OTHER,
    SAME,
    STYLE,
    draw_roc,
    draw_side_by_side,
    draw_similarities,
)
from attendance.evaluation.simulated_classes import FPIRS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from attendance.evaluation.class_evaluation import ClassesReport
    from attendance.evaluation.robustness import DamageFigures, RobustnessReport
    from attendance.evaluation.side_by_side import SideBySideReport
    from attendance.evaluation.verification import VerificationReport

INKED: Any = {
    **STYLE,
    "svg.fonttype": "none",
    "svg.hashsalt": "page",
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "DejaVu Sans"],
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK
    ),
    "grid.color": INK,
    "figure.figsize": (11, 4),
}
Captioned = list[tuple[str, "Figure"]]


def verification_figures(report: VerificationReport) -> Captioned:
    """ROC, and the similarities of both kinds of pairs."""

    def draw(curve: Axes, scores: Axes) -> None:
        draw_roc(curve, report)
        draw_similarities(scores, report.curves.everything, report.threshold)

    caption = "VAL against FAR over all pairs, and the similarities of both kinds of pairs."
    return [(caption, pair_figure(draw))]


def side_by_side_figures(report: SideBySideReport) -> Captioned:
    """ROC of all embedders, and what each gives for its time."""
    caption = "VAL against FAR over all pairs, and VAL at FAR 1e-3 by how long a face takes."
    return [(caption, pair_figure(lambda left, right: draw_side_by_side(left, right, report)))]


def robustness_figures(report: RobustnessReport) -> Captioned:
    """VAL by each kind of damage, two to a figure, and by yaw."""
    by_kind: dict[str, list[DamageFigures]] = {}
    for one in report.damages[1:]:
        by_kind.setdefault(one.kind, []).append(one)

    def first(left: Axes, right: Axes) -> None:
        for axes, kind in ((left, JPEG), (right, FACE_SIZE)):
            draw_damage(axes, by_kind.pop(kind, []), kind)

    def turned(axes: Axes) -> None:
        bins = [one for one in report.yaw if one.accepted.n]
        labels = [f"{one.from_deg} to {one.to_deg}" for one in bins]
        _with_intervals(axes, [(o.accepted.value, o.accepted.low, o.accepted.high) for o in bins])
        axes.set_xticks(np.arange(len(bins)), labels)
        axes.set(ylim=(0, 1.02), xlabel="degrees, of the face turned further", title="turned head")

    caption = "JPEG quality and face size beside the FaceNet paper's tables."
    figures = [(caption, pair_figure(first))]
    rest: list[Callable[[Axes], None]] = [
        lambda axes, kind=kind, of=of: draw_damage(axes, of, kind)  # type: ignore[misc]
        for kind, of in by_kind.items()
    ]
    rest.append(turned)
    for start in range(0, len(rest), 2):
        pair = rest[start : start + 2]
        figures.append(("VAL at FAR 1e-3 with 95 % intervals.", pair_figure(_side_by_side(pair))))
    return figures


def class_figures(report: ClassesReport) -> Captioned:
    """FNIR at each FPIR, of one photo, one look and a whole clip."""
    kinds = {
        "one photo": report.per_look,
        "one look of a clip": report.per_worse_look,
        "whole clip": report.after_evidence,
    }

    def draw(axes: Axes, other: Axes) -> None:
        other.set_visible(False)
        for colour, (kind, figures) in zip((SAME, OTHER, "#2b8a3e"), kinds.items(), strict=True):
            if figures is None:
                continue
            rates = list(figures.fnir_at_fpir.values())
            x = [float(key) for key in figures.fnir_at_fpir]
            axes.fill_between(
                x, [r.low for r in rates], [r.high for r in rates], color=colour, alpha=0.15
            )
            axes.plot(x, [r.value for r in rates], "o-", color=colour, label=kind)
        axes.set(xscale="log", xlabel="FPIR", ylabel="FNIR", ylim=(0, None))
        axes.set_xticks([float(key) for key in FPIRS], list(FPIRS))
        axes.set_xticks([], minor=True)
        axes.legend()

    caption = f"FNIR against FPIR, {report.n_classes} classes of {report.n_gallery}."
    return [(caption, pair_figure(draw))]


def draw_damage(axes: Axes, figures: Sequence[DamageFigures], kind: str) -> None:
    """VAL at FAR 1e-3 by how much of one damage, with intervals and what was published."""
    _with_intervals(axes, [(f.val.value, f.val.low, f.val.high) for f in figures])
    places = np.arange(len(figures))
    kept = [one.val_kept for one in figures]
    axes.plot(places, kept, color=SAME, ls=":", marker=".", label="ours, threshold kept")
    published = [np.nan if one.published is None else one.published for one in figures]
    if not np.isnan(published).all():
        axes.plot(places, published, color=OTHER, marker="s", ms=4, label="FaceNet paper")
    axes.set_xticks(places, [one.level for one in figures])
    axes.set(ylim=(0, 1.02), ylabel="VAL at FAR 1e-3", title=kind)
    axes.legend(loc="best")


def _with_intervals(axes: Axes, rates: Sequence[tuple[float, float, float]]) -> None:
    value, low, high = np.array(rates).reshape(-1, 3).T
    bars = np.maximum([value - low, high - value], 0)
    axes.errorbar(
        np.arange(len(value)), value, bars, color=SAME, marker="o", ms=5, capsize=3, label="ours"
    )


def _side_by_side(draws: Sequence[Callable[[Axes], None]]) -> Callable[[Axes, Axes], None]:
    def draw(*both: Axes) -> None:
        for axes in both[len(draws) :]:
            axes.set_visible(False)
        for axes, one in zip(both, draws, strict=False):
            one(axes)

    return draw


def pair_figure(draw: Callable[[Axes, Axes], None]) -> Figure:
    """Two axes side by side, drawn in ink that the page replaces."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(INKED):
        figure = Figure()
        FigureCanvasAgg(figure)
        draw(*figure.subplots(1, 2))
        figure.canvas.draw()
    return figure
