"""A calibration in words, as a table and as a page with plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attendance.core.impostors import Doubles
from attendance.evaluation.alike import Pair
from attendance.evaluation.calibration import CalibrationReport
from attendance.evaluation.html_page import INK, write_page
from attendance.evaluation.page_plots import Captioned, pair_figure
from attendance.evaluation.plots import OTHER, SAME
from attendance.evaluation.separation import separation_rows
from attendance.evaluation.tables import Row, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES_SHOWN = np.unique(np.geomspace(2, 200, 40).round()).astype(int)
SCORES_SHOWN = np.linspace(-0.2, 1.0, 241)


def summary(report: CalibrationReport, numbers: Mapping[int, str]) -> Iterator[str]:
    """The lines a terminal shows.

    Args:
        report: the calibration.
        numbers: student numbers by id.
    """
    yield (
        f"Names from a score of {report.threshold:.2f} on, {report.margin:.2f} ahead of the next "
        f"person; {report.n_students} students, {report.n_photos} photos."
    )
    yield (
        f"A roster of this size takes {report.needed:.2f} to hold strangers at "
        f"{percent(report.target_fpir)}."
    )
    yield (
        f"Expected: {percent(report.fpir)} of unknown people get a name (95 % of such rosters: "
        f"{percent(report.fpir_low)} to {percent(report.fpir_high)}); with {report.strangers} of "
        f"them in a session {report.expected_false_accepts:.2f} wrong names "
        f"({report.false_low:.0f} to {report.false_high:.0f})."
    )
    yield f"A single photo of a student is missed in {percent(report.fnir)} of cases."
    if report.own_named > report.own_limit:
        yield "These students are more alike than any threshold can allow for; check the photos."
    if report.separates_best:
        yield report.separates_best
    for pair in report.too_alike:
        yield f"Always asked about: {_who(pair, numbers)}, too much alike to tell."


def report_rows(report: CalibrationReport, numbers: Mapping[int, str]) -> list[Row]:
    """The figures as name, value and what it is of."""
    of = f"{report.n_students} students, {report.n_photos} photos"
    background = (
        f"background: {report.background_strangers} strangers, rosters of "
        f"{report.background_people} people"
    )
    rows = [
        ("threshold in force", f"{report.threshold:.3f}", f"score; review from "
         f"{report.review_threshold:.3f}, lead {report.margin:.2f}"),
        (f"threshold for FPIR {percent(report.target_fpir)}", f"{report.needed:.3f}", background),
        ("expected FPIR", percent(report.fpir), f"95 % of such rosters: "
         f"{percent(report.fpir_low)} to {percent(report.fpir_high)}"),
        ("expected wrong names a session", f"{report.expected_false_accepts:.2f}",
         f"{report.strangers} unknown people assumed; 95 %: {report.false_low:.1f} to "
         f"{report.false_high:.1f}"),
        ("equal error rate", percent(report.eer), f"single photos, {of}"),
        ("missed at the threshold", percent(report.fnir), f"single photos, {of}"),
        ("own people taken for another", percent(report.own_named),
         f"each left out in turn; up to {percent(report.own_limit)} was to be expected"),
    ]  # fmt: skip
    for cost in report.fewer_poses:
        name = f"missed with {cost.templates} other photos enrolled"
        interval = f"95 %: {percent(cost.low)} to {percent(cost.high)}"
        rows.append((name, percent(cost.missed), f"{interval}, {cost.n} searches"))
    rows += separation_rows(report.separations, report.target_fpir)
    if report.separates_best:
        compared = f"{len(report.separations)}"
        rows.append(("embedders compared", compared, report.separates_best))
    rows += [_pair_row("too alike, always reviewed", pair, numbers) for pair in report.too_alike]
    rows += [_pair_row("next most alike", pair, numbers) for pair in report.near]
    return rows


def write_report(
    report: CalibrationReport, course: str, numbers: Mapping[int, str], target: Path
) -> None:
    """The page: plots first, then every figure."""
    title = f"Calibration of {course}, {report.model_id}"
    write_page(target, title, report_rows(report, numbers), calibration_figures(report))


def calibration_figures(report: CalibrationReport) -> Captioned:
    """Both kinds of scores and what strangers do, by threshold and by size of roster."""

    def first(scores: Axes, rates: Axes) -> None:
        _draw_scores(scores, report)
        _draw_rates(rates, report)

    def second(sizes: Axes, poses: Axes) -> None:
        _draw_sizes(sizes, report)
        _draw_poses(poses, report)

    return [
        ("Scores of this roster's photos, each held back in turn; and how many unknown people "
         "get a name from a roster of this size, with the band 95 % of rosters lie in.",
         pair_figure(first)),
        ("What a larger roster would do at this threshold, and what fewer photos a student cost.",
         pair_figure(second)),
    ]  # fmt: skip


def density(values: Doubles, at: Doubles) -> Doubles:
    """A Gaussian kernel estimate; nothing where there are too few values for one.

    >>> density(np.array([0.5]), np.zeros(2)).tolist()
    [0.0, 0.0]
    """
    from scipy.stats import gaussian_kde

    if len(values) < 3 or np.ptp(values) < 1e-9:
        return np.zeros(len(at))
    return np.asarray(gaussian_kde(values)(at), np.float64)


def _draw_scores(axes: Axes, report: CalibrationReport) -> None:
    right = report.genuine[report.genuine > -1]
    kinds = ((right, SAME, "the right person"), (report.impostor, OTHER, "as a stranger"))
    for values, colour, label in kinds:
        curve = density(values, SCORES_SHOWN)
        axes.fill_between(SCORES_SHOWN, curve, color=colour, alpha=0.3)
        axes.plot(SCORES_SHOWN, curve, color=colour, label=f"{label} ({len(values)})")
    _threshold(axes, report)
    top = 1.3 * axes.dataLim.ymax
    axes.set(xlabel="score of a photo", ylabel="density", xlim=(-0.2, 1), ylim=(0, top))
    axes.legend(loc="upper left")


def _draw_rates(axes: Axes, report: CalibrationReport) -> None:
    levels = np.linspace(max(report.threshold - 0.2, 0.1), min(report.threshold + 0.25, 0.95), 51)
    _band(axes, levels, [_prediction(report, report.n_students, level) for level in levels])
    _threshold(axes, report)
    axes.axhline(report.target_fpir, color=OTHER, lw=1, label="target")
    axes.set(yscale="log", ylim=(1e-4, 1), xlabel="threshold", ylabel="FPIR, %")
    axes.set_yticks([1e-4, 1e-3, 1e-2, 1e-1, 1], ["0.01", "0.1", "1", "10", "100"])
    axes.set_title(f"unknown people named by {report.n_students} students")
    axes.legend(loc="upper right")


def _draw_sizes(axes: Axes, report: CalibrationReport) -> None:
    _band(axes, SIZES_SHOWN, [_prediction(report, int(n), report.threshold) for n in SIZES_SHOWN])
    axes.axvline(report.n_students, color=INK, ls="--", lw=1.2, label="this roster")
    axes.set(xscale="log", xlabel="students", ylabel="FPIR", ylim=(0, None))
    axes.set_xticks([2, 5, 10, 20, 50, 100, 200], ["2", "5", "10", "20", "50", "100", "200"])
    axes.set_xticks([], minor=True)
    axes.set_title(f"at a threshold of {report.threshold:.2f}")
    axes.legend(loc="upper left")


def _draw_poses(axes: Axes, report: CalibrationReport) -> None:
    costs = report.fewer_poses[::-1]
    places = np.arange(len(costs))
    value = np.array([cost.missed for cost in costs])
    bars = [value - [cost.low for cost in costs], [cost.high for cost in costs] - value]
    axes.bar(places, value, color=SAME, width=0.6, alpha=0.7)
    axes.errorbar(places, value, np.maximum(bars, 0), fmt="none", ecolor=INK, capsize=4)
    axes.set_xticks(places, [str(cost.templates) for cost in costs])
    axes.set(xlabel="photos enrolled", ylabel="share missed", ylim=(0, None))
    axes.set_title("a single photo of the right person")


def _prediction(
    report: CalibrationReport, size: int, threshold: float
) -> tuple[float, float, float]:
    low, high = report.background.interval(size, threshold)
    return report.background.rate(size, threshold), low, high


def _band(axes: Axes, x: Doubles, points: list[tuple[float, float, float]]) -> None:
    rate, low, high = np.array(points).T
    axes.fill_between(x, low, high, color=SAME, alpha=0.2, label="95 % of rosters")
    axes.plot(x, rate, color=SAME, label="expected")


def _threshold(axes: Axes, report: CalibrationReport) -> None:
    label = f"in force, {report.threshold:.2f}"
    axes.axvline(report.threshold, color=INK, ls="--", lw=1.2, label=label)


def _pair_row(name: str, pair: Pair, numbers: Mapping[int, str]) -> Row:
    of = f"similarity; {pair.doubtful} of {pair.photos} photos in doubt"
    return (f"{name}: {_who(pair, numbers)}", f"{pair.similarity:.2f}", of)


def _who(pair: Pair, numbers: Mapping[int, str]) -> str:
    return f"{numbers.get(pair.first, pair.first)} and {numbers.get(pair.second, pair.second)}"
