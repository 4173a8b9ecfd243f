"""Is calibration honest? Predicted against observed false accepts, on strangers it never saw."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from attendance.config import DecisionConfig
from attendance.core.impostors import Background, Doubles
from attendance.evaluation.background import Crowd, searched
from attendance.evaluation.calibration import calibrated
from attendance.evaluation.page_plots import Captioned, pair_figure
from attendance.evaluation.plots import OTHER, SAME
from attendance.evaluation.reports import shown
from attendance.evaluation.searches import Enrolment
from attendance.evaluation.tables import Row, percent

SHOWN_STRANGERS = 10


@dataclass(frozen=True)
class HonestyReport:
    """Figures of `evaluate calibration`.

    Attributes:
        n_rosters: drawn, of `roster_size` people of `n_people`; they overlap.
        n_strangers: searched for, the same ones on every roster.
        predicted: FPIR expected at each roster's threshold, their mean.
        observed: the mean share of the strangers given a name.
        within: share of the rosters whose observed count lies inside its predicted interval.
        above: share of them with more false accepts than the interval allows.
        threshold: mean of the calibrated thresholds.
        fnir: share of the probes, one of each person on a roster, not given their name.
    """

    model_id: str
    target_fpir: float
    roster_size: int
    n_people: int
    n_rosters: int
    n_strangers: int
    predicted: float
    observed: float
    within: float
    above: float
    threshold: float
    fnir: float
    n_probes: int
    rosters: Doubles = field(repr=False, metadata={"json": False})
    """(rosters, 4): predicted, low, high, observed."""


def check_calibration(
    crowd: Crowd,
    background: Background,
    decision: DecisionConfig,
    *,
    target_fpir: float,
    roster_size: int,
    n_rosters: int,
) -> HonestyReport:
    """Draws rosters, calibrates each, and searches it for strangers nobody tuned on.

    Args:
        crowd: none of whom the background was made from.
        background: of the same model.
        decision: its threshold is taken as 0, so that the calibration alone decides.
        target_fpir: asked of each calibration.
        roster_size: people on each.
        n_rosters: drawn.
    """
    free = decision.model_copy(update={"threshold": 0.1, "review_threshold": 0.0})
    draw, rows, thresholds, missed = np.random.default_rng(1), [], [], []
    for _ in shown(range(n_rosters), "rosters"):
        chosen = draw.choice(len(crowd.templates), roster_size, replace=False)
        enrolment = enrolment_from(crowd, chosen, background.model_id)
        report = calibrated(enrolment, background, free, target_fpir, SHOWN_STRANGERS)
        level, n = report.threshold, len(crowd.strangers)
        low, high = background.interval(roster_size, level, n)
        found = searched(crowd.strangers, enrolment.gallery, decision)
        own = searched(crowd.probes[chosen], enrolment.gallery, decision)
        rows.append((report.fpir, low, high, _named(found, level, decision.margin)))
        missed.append(1 - _named(own, level, decision.margin))
        thresholds.append(level)
    table = np.array(rows, np.float64)
    inside = (table[:, 3] >= table[:, 1]) & (table[:, 3] <= table[:, 2])
    return HonestyReport(
        model_id=background.model_id,
        target_fpir=target_fpir,
        roster_size=roster_size,
        n_people=len(crowd.templates),
        n_rosters=n_rosters,
        n_strangers=len(crowd.strangers),
        predicted=float(table[:, 0].mean()),
        observed=float(table[:, 3].mean()),
        within=float(inside.mean()),
        above=float((table[:, 3] > table[:, 2]).mean()),
        threshold=float(np.mean(thresholds)),
        fnir=float(np.mean(missed)),
        n_probes=n_rosters * roster_size,
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
    of = f"{report.n_rosters} rosters of {report.roster_size} of {report.n_people} people"
    return [
        ("predicted FPIR", percent(report.predicted), f"asked for: {percent(report.target_fpir)}"),
        ("observed FPIR", percent(report.observed), f"{report.n_strangers} strangers, {of}"),
        ("rosters inside their 95 % interval", percent(report.within), of),
        ("rosters above it", percent(report.above), of),
        ("threshold", f"{report.threshold:.3f}", "mean of the rosters"),
        ("FNIR, one photo", percent(report.fnir), f"{report.n_probes} probes, people redrawn"),
    ]


def honesty_figures(report: HonestyReport) -> Captioned:
    """Observed against predicted, a line a roster, and how the observed are spread."""
    ordered = report.rosters[np.argsort(report.rosters[:, 3])]
    places = np.arange(len(ordered))

    def draw(rosters, counts) -> None:  # type: ignore[no-untyped-def]
        rosters.fill_between(
            places, 100 * ordered[:, 1], 100 * ordered[:, 2],
            color=SAME, alpha=0.2, step="mid", label="predicted, 95 %",
        )  # fmt: skip
        rosters.plot(places, 100 * ordered[:, 0], color=SAME, label="predicted")
        rosters.plot(places, 100 * ordered[:, 3], ".", color=OTHER, label="observed")
        rosters.set(xlabel="rosters, by what was observed", ylabel="FPIR, %", ylim=(0, None))
        rosters.legend(loc="upper left")
        counts.hist(100 * ordered[:, 3], bins=20, color=OTHER, alpha=0.6, label="observed")
        counts.axvline(100 * report.predicted, color=SAME, label="predicted, mean")
        counts.set(xlabel="FPIR, %", ylabel="rosters")
        counts.legend()

    caption = (
        f"False accepts of {report.n_strangers} strangers on {report.n_rosters} rosters of "
        f"{report.roster_size}: {percent(report.within)} inside their predicted interval."
    )
    return [(caption, pair_figure(draw))]


def _named(found: Doubles, threshold: float, margin: float) -> float:
    return float(((found[:, 0] >= threshold) & (found[:, 1] >= margin)).mean())
