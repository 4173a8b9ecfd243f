"""`attendance evaluate clip-trials`: its options and what it prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from attendance.evaluation.command_scope import Handing, JsonOption, scope_of
from attendance.evaluation.reports import check_targets, shown
from attendance.evaluation.tables import Row, percent

if TYPE_CHECKING:
    from attendance.bootstrap import School
    from attendance.core.cohort import Cohort
    from attendance.core.evidence import DecisionRules
    from attendance.evaluation.clip_trials import TrialsReport


def clip_trials(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--clips", help="Clips beside their labels.json.")],
    orders: Annotated[
        int, typer.Option("--orders", min=1, help="How often the clips are shuffled.")
    ] = 5,
    json_file: JsonOption = None,
) -> None:
    """What does knowing the camera change? Clips replayed for every roster, in shuffled orders."""
    from attendance.bootstrap import School
    from attendance.evaluation.camera_looks import gather
    from attendance.evaluation.clip_trials import TrialsReport, run_trials
    from attendance.evaluation.clips import read_clips

    check_targets(json_file)
    scope = scope_of(context)
    school = School(scope.home, scope.config)
    labelled = read_clips(folder)
    clips = gather(school, labelled)
    shuffles = shown(range(orders), "Shuffles")
    trials = run_trials(clips, _rules_of(school), school.model_id, shuffles)
    report = TrialsReport(
        school.model_id,
        school.embedder().variant,
        len(clips),
        len(labelled.people),
        orders,
        tuple(trials),
    )
    Handing(json_file).over(report, trial_rows(report))


def _rules_of(school: School) -> Callable[[int, Cohort | None], DecisionRules]:
    """What a session of this school would go by: no calibration, a roster of some size."""
    from attendance.bootstrap import pipeline_rules

    def rules(size: int, cohort: Cohort | None) -> DecisionRules:
        people = 0 if cohort is None else cohort.people
        return pipeline_rules(school.thresholds_for(size, people)).decision

    return rules


def trial_rows(report: TrialsReport) -> list[Row]:
    """The figures of `evaluate clip-trials`, over all orders and of the worst one."""
    rows = []
    for roster in sorted({one.roster for one in report.outcomes}, reverse=True):
        for knows in (False, True):
            each = [o for o in report.outcomes if (o.roster, o.knows_camera) == (roster, knows)]
            name = f"{roster} enrolled, camera {'known' if knows else 'unknown'}"
            n = sum(one.n_enrolled for one in each)
            right = sum(one.enrolled["right"] * one.n_enrolled for one in each) / n
            worst = min(one.enrolled["right"] for one in each)
            wrong = sum(one.enrolled["wrong"] * one.n_enrolled for one in each) / n
            said = f"worst order {percent(worst)}, wrong {percent(wrong)}; {n} plays"
            rows.append((f"{name}: right", percent(right), said))
            strangers = sum(one.n_strangers for one in each)
            if strangers:
                named = sum(one.strangers["wrong"] * one.n_strangers for one in each) / strangers
                asked = sum(one.strangers["review"] * one.n_strangers for one in each) / strangers
                said = f"asked about {percent(asked)}; {strangers} plays"
                rows.append((f"{name}: strangers named", percent(named), said))
    return rows
