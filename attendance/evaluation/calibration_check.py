"""Is calibration honest? Predicted against observed false accepts, on strangers it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from attendance.config import DecisionConfig
from attendance.core.impostors import Background, Doubles
from attendance.evaluation.background import Crowd, searched
from attendance.evaluation.calibration import calibrated
from attendance.evaluation.html_page import INK
from attendance.evaluation.page_plots import Captioned, pair_figure
from attendance.evaluation.plots import OTHER, SAME
from attendance.evaluation.protocols import ProtocolError
from attendance.evaluation.reports import shown
from attendance.evaluation.searches import Enrolment
from attendance.evaluation.tables import Row, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_STRANGERS = 10
SPREAD_OUT = 0.18
"""Half the width that the rosters of one size take in the plot."""


@dataclass(frozen=True)
class HonestyCase:
    """What was predicted and what happened for rosters of one size, one rate asked for.

    Attributes:
        n_rosters: drawn; they overlap, and all were searched for the same strangers.
        threshold: mean of the calibrated thresholds.
        predicted: FPIR expected at each roster's threshold, their mean.
        low, high: 95 % interval of what would be observed, the mean over rosters.
        observed: the mean share of the strangers given a name.
        within: how many of the rosters have their observed share inside their own interval.
        above: how many have more false accepts than it allows.
        fnir: share of the probes, one of each person on a roster, not given their name.
    """

    roster_size: int
    target_fpir: float
    n_rosters: int
    threshold: float
    predicted: float
    low: float
    high: float
    observed: float
    within: int
    above: int
    fnir: float
    rosters: Doubles = field(repr=False, metadata={"json": False})
    """(rosters, 4): predicted, low, high, observed."""


@dataclass(frozen=True)
class HonestyReport:
    """Figures of `evaluate calibration`.

    Attributes:
        n_people: who could be enrolled.
        n_strangers: searched for on every roster.
        cases: by rate asked for, then by size.
    """

    model_id: str
    n_people: int
    n_strangers: int
    cases: tuple[HonestyCase, ...]


def check_calibration(
    crowd: Crowd,
    background: Background,
    decision: DecisionConfig,
    *,
    targets: Sequence[float],
    sizes: Sequence[int],
    n_rosters: int,
) -> HonestyReport:
    """Draws rosters, calibrates each, and searches it for strangers nobody tuned on.

    Args:
        crowd: none of whom the background was made from.
        background: of the same model.
        decision: its threshold is taken as 0.1, so that the calibration alone decides.
        targets: rates asked of each calibration.
        sizes: people on each roster.
        n_rosters: drawn of each size.

    Raises:
        ProtocolError: a roster takes more people than there are.
    """
    people = len(crowd.templates)
    if max(sizes) > people:
        raise ProtocolError(
            f"rosters of {max(sizes)} were asked for and {people} people have photos enough: "
            "name a smaller --roster-size"
        )
    cases = [
        _case(crowd, background, decision, target, size, n_rosters)
        for target, size in product(targets, sizes)
    ]
    return HonestyReport(background.model_id, people, len(crowd.strangers), tuple(cases))


def _case(
    crowd: Crowd,
    background: Background,
    decision: DecisionConfig,
    target: float,
    size: int,
    n_rosters: int,
) -> HonestyCase:
    free = decision.model_copy(update={"threshold": 0.1, "review_threshold": 0.0})
    draw, rows, levels, missed = np.random.default_rng(1), [], [], []
    for _ in shown(range(n_rosters), f"rosters of {size}"):
        chosen = draw.choice(len(crowd.templates), size, replace=False)
        enrolment = enrolment_from(crowd, chosen, background.model_id)
        report = calibrated(enrolment, background, free, target, SHOWN_STRANGERS)
        level = report.threshold
        interval = background.interval(size, level, len(crowd.strangers))
        found = searched(crowd.strangers, enrolment.gallery, decision)
        own = searched(crowd.probes[chosen], enrolment.gallery, decision)
        rows.append((report.fpir, *interval, _named(found, level, decision.margin)))
        missed.append(1 - _named(own, level, decision.margin))
        levels.append(level)
    table = np.array(rows, np.float64)
    means = [float(value) for value in table.mean(axis=0)]
    inside = (table[:, 3] >= table[:, 1]) & (table[:, 3] <= table[:, 2])
    return HonestyCase(
        roster_size=size,
        target_fpir=target,
        n_rosters=n_rosters,
        threshold=float(np.mean(levels)),
        predicted=means[0],
        low=means[1],
        high=means[2],
        observed=means[3],
        within=int(inside.sum()),
        above=int((table[:, 3] > table[:, 2]).sum()),
        fnir=float(np.mean(missed)),
        rosters=table,
    )


def enrolment_from(crowd: Crowd, chosen: np.ndarray, model_id: str) -> Enrolment:
    """The templates of these people, as they would be enrolled: photos, then their flips."""
    gallery = crowd.gallery(chosen, model_id)
    n, per = len(chosen), crowd.templates.shape[1]
    photo, is_flip = np.arange(per) % (per // 2), np.arange(per) >= per // 2
    return Enrolment(
        model_id,
        gallery.student_ids,
        gallery.templates,
        gallery.owners,
        (np.arange(n)[:, None] * per + photo).ravel(),
        np.tile(~is_flip, n),
    )


def honesty_rows(report: HonestyReport) -> list[Row]:
    """The figures as name, value and what it is of."""
    rows = [("strangers", f"{report.n_strangers}", f"rosters drawn from {report.n_people} people")]
    for case in report.cases:
        of = f"{case.roster_size} enrolled, {percent(case.target_fpir)} asked for"
        interval = f"95 %: {percent(case.low)} to {percent(case.high)}"
        count = f"{case.within} of {case.n_rosters}"
        rows += [
            (f"{of}: predicted FPIR", percent(case.predicted), interval),
            ("observed FPIR", percent(case.observed), f"at a threshold of {case.threshold:.3f}"),
            ("rosters inside their interval", count, f"{case.above} above it"),
            ("FNIR, one photo", percent(case.fnir), "of the enrolled people's own probes"),
        ]
    return rows


def honesty_figures(report: HonestyReport) -> Captioned:
    """The predicted interval and every roster's observed rate, by size, a panel for each rate."""
    targets = list(dict.fromkeys(case.target_fpir for case in report.cases))
    figures = []
    for start in range(0, len(targets), 2):
        pair = targets[start : start + 2]

        def draw(*both: Axes, pair: list[float] = pair) -> None:
            for axes in both[len(pair) :]:
                axes.set_visible(False)
            for axes, target in zip(both, pair, strict=False):
                _draw_cases(axes, [one for one in report.cases if one.target_fpir == target])

        figures.append((_caption(report), pair_figure(draw)))
    return figures


def _caption(report: HonestyReport) -> str:
    return (
        f"False accepts among {report.n_strangers} strangers. Bar: where 95 of 100 rosters were "
        "predicted to lie, with the mean; dots: where they lay, one a roster. Rosters of a size "
        f"are drawn from the same {report.n_people} people and meet the same strangers, so their "
        "dots move together."
    )


def _draw_cases(axes: Axes, cases: Sequence[HonestyCase]) -> None:
    places = np.arange(len(cases))
    low, high = np.array([(case.low, case.high) for case in cases]).T
    axes.bar(
        places, 100 * (high - low), 0.56, bottom=100 * low,
        color=SAME, alpha=0.22, label="predicted, 95 %",
    )  # fmt: skip
    predicted = [100 * case.predicted for case in cases]
    axes.hlines(predicted, places - 0.28, places + 0.28, color=SAME, label="predicted, mean")
    for place, case in zip(places, cases, strict=True):
        aside = place + np.linspace(-SPREAD_OUT, SPREAD_OUT, case.n_rosters)
        rates = 100 * np.sort(case.rosters[:, 3])
        label = "observed, a roster each" if place == 0 else None
        axes.plot(aside, rates, ".", color=OTHER, ms=5, label=label)
    named = [f"{c.roster_size} enrolled\n{c.within} of {c.n_rosters} inside" for c in cases]
    axes.set_xticks(places, named)
    axes.axhline(100 * cases[0].target_fpir, color=INK, ls="--", lw=1, label="asked for")
    top = 1.45 * max(axes.dataLim.ymax, 0.01)
    axes.set(ylabel="FPIR, %", xlim=(-0.5, len(cases) - 0.5), ylim=(0, top))
    axes.set_title(f"{percent(cases[0].target_fpir)} asked for")
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper left", ncols=2)


def _named(found: Doubles, threshold: float, margin: float) -> float:
    return float(((found[:, 0] >= threshold) & (found[:, 1] >= margin)).mean())
