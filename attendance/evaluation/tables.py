"""Figures as tables for people, each rate with what it is of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from attendance.evaluation.class_evaluation import ClassesReport, SearchFigures
    from attendance.evaluation.clips import ClipsReport
    from attendance.evaluation.crop_trials import CropsReport, SweepFigures
    from attendance.evaluation.detection import DetectionReport
    from attendance.evaluation.identification import IdentificationReport
    from attendance.evaluation.robustness import RobustnessReport
    from attendance.evaluation.simulated_classes import Rate
    from attendance.evaluation.subgroups import GroupFigures
    from attendance.evaluation.verification import FarFigure, VerificationReport

Row = tuple[str, str, str]


def percent(share: float) -> str:
    """A rate for people.

    >>> percent(0.98765), percent(float("nan"))
    ('98.77 %', 'none')
    """
    return "none" if math.isnan(share) else f"{100 * share:.2f} %"


def figures_table(title: str, rows: list[Row]) -> Table:
    """Figures as name, value and what it is of."""
    table = Table(title=title, title_justify="left", header_style="", show_edge=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("of", style="dim")
    for row in rows:
        table.add_row(*row)
    return table


def verification_rows(report: VerificationReport) -> list[Row]:
    """The figures of `evaluate verification`."""
    same, cross = f"{report.n_same} same-person pairs", f"{report.n_cross} different-person pairs"
    everything = report.all_pairs
    judged = f"{report.n_pairs} pairs"
    rows = [
        ("accuracy", with_interval(report, "accuracy"), f"{judged}, {report.protocol}"),
        ("sd of it", percent(report.accuracy_sd), "over folds, else over a bootstrap of people"),
        ("threshold", f"{report.threshold:.4f}", report.protocol),
        ("precision", with_interval(report, "precision"), judged),
        ("recall", with_interval(report, "recall"), same),
        ("F1", with_interval(report, "f1"), judged),
        ("EER", with_interval(report, "eer"), f"{same}, {cross}"),
        ("no face found", str(report.n_undetected), "photos in the pairs; counted, not dropped"),
    ]
    rows += [
        (f"VAL at FAR {key}", percent(val), f"{same}, {cross}")
        for key, val in report.val_at_far.items()
    ]
    pairs = f"{everything.n_same:,} same-person, {everything.n_cross:,} different-person pairs"
    rows.append(
        ("all pairs", f"{everything.n_photos:,}", f"photos of {everything.n_people}: {pairs}")
    )
    rows += [_far_row(key, figure) for key, figure in everything.val_at_far.items()]
    return rows + [_group_row(group) for group in report.groups]


def with_interval(report: VerificationReport, figure: str) -> str:
    """A figure of the pairs and its 95 % interval, percent."""
    low, high = report.intervals[figure]
    return f"{percent(getattr(report, figure))} ({100 * low:.2f} to {100 * high:.2f})"


def _group_row(one: GroupFigures) -> Row:
    of = f"{one.val.n:,} same-person, {one.far.n:,} different-person pairs of {one.n_people} people"
    far = f"FAR {rate_with_interval(one.far)}; {one.n_undetected} photos without a face"
    return f"group {one.group}, VAL", rate_with_interval(one.val), f"{of}; {far}"


def _far_row(far: str, figure: FarFigure) -> Row:
    interval = f"95 %: {percent(figure.low)} to {percent(figure.high)}"
    by_person = f"people alike: {percent(figure.val_by_person)}"
    note = f"{interval}; {by_person}; threshold {figure.threshold:.4f}"
    return f"VAL at FAR {far}, all pairs", percent(figure.val), note


def identification_rows(report: IdentificationReport) -> list[Row]:
    """The figures of `evaluate identification`."""
    probes, strangers = f"{report.n_probes} probes", f"{report.n_impostors} strangers"
    at = report.configured
    rows = [
        ("rank 1", percent(report.rank1), f"{probes}, {report.n_gallery} enrolled"),
        *(
            (f"FNIR at FPIR {key}", percent(fnir), f"{probes}, {strangers}; at {level:.4f}")
            for (key, fnir), level in zip(
                report.fnir_at_fpir.items(), report.thresholds.values(), strict=True
            )
        ),
    ]
    where = f"score ≥ {at.threshold}, margin ≥ {at.margin}, one photo"
    return [
        *rows,
        ("FPIR as configured", percent(at.fpir), f"{strangers}; {where}"),
        ("FNIR as configured", percent(at.fnir), f"{probes}; {where}"),
        ("wrong name as configured", percent(at.misidentified), f"{probes}; {where}"),
        ("no face found", str(report.n_undetected), "photos; counted, not dropped"),
    ]


def detection_rows(report: DetectionReport) -> list[Row]:
    """The figures of `evaluate detection`."""
    rows = [
        (f"recall from {key} px", percent(share), f"{report.n_faces_by_height[key]} faces")
        for key, share in report.recall.items()
    ]
    false = f"{report.false_per_image:.3f}"
    return [*rows, ("false detections an image", false, f"{report.n_images} images")]


def clips_rows(report: ClipsReport) -> list[Row]:
    """The figures of `evaluate clips`."""
    rows = [(kind, str(n), f"{report.n} clips") for kind, n in report.outcomes.items()]
    rows.append(("bystander named", str(report.bystanders_named), f"{report.n} clips"))
    of_strangers = f"{report.n_strangers} clips of people left out"
    return rows + [
        (f"stranger {kind}", str(n), of_strangers) for kind, n in report.strangers.items()
    ]


def rate_with_interval(figure: Rate) -> str:
    """A rate and its 95 % interval, percent."""
    if math.isnan(figure.value):
        return "none"
    return f"{100 * figure.value:.2f} % ({100 * figure.low:.2f} to {100 * figure.high:.2f})"


def robustness_rows(report: RobustnessReport) -> list[Row]:
    """The figures of `evaluate robustness`."""
    rows = []
    for one in report.damages:
        paper = "" if one.published is None else f"; FaceNet paper {percent(one.published)}"
        far = "above 3 %" if math.isnan(one.far_kept) else percent(one.far_kept)
        kept = f"threshold kept: VAL {percent(one.val_kept)}, FAR {far}"
        rows.append((f"{one.kind} {one.level}", rate_with_interval(one.val), kept + paper))
    for turned in report.yaw:
        of = f"{turned.accepted.n:,} same-person pairs of {turned.n_people} people"
        name = f"turned {turned.from_deg} to {turned.to_deg} degrees"
        rows.append((name, rate_with_interval(turned.accepted), of))
    pairs = f"{report.n_same:,} same-person, {report.n_cross:,} different-person pairs"
    rows.append(("VAL at FAR 1e-3", "", f"{pairs} of {report.n_people} people each time"))
    rows.append(("no face found", str(report.n_undetected), f"{report.n_photos} photos"))
    return rows


def crops_rows(report: CropsReport) -> list[Row]:
    """The figures of `evaluate crops`."""
    rows = _sweep_rows(report.tried, "chosen on")
    rows.append(("taken", report.chosen, "the most members saved, if more than chance"))
    return rows + (_sweep_rows(report.confirmed, "confirmed on") if report.confirmed else [])


def _sweep_rows(figures: SweepFigures, purpose: str) -> list[Row]:
    of = (
        f"{figures.n_classes} classes of {figures.class_size}, {figures.n_templates} templates, "
        f"{figures.n_searches:,} member and {figures.n_stranger_searches:,} stranger searches"
    )
    rows: list[Row] = [(f"{purpose} {figures.n_people} people", "FNIR at FPIR 1 %", of)]
    for one in figures.trials:
        val = f"saves {rate_with_interval(one.fnir_saved)}; VAL {rate_with_interval(one.val)}"
        gain = f", gains {rate_with_interval(one.val_gain)}"
        rows.append((one.name, rate_with_interval(one.fnir), val + gain))
    return rows


def classes_rows(report: ClassesReport) -> list[Row]:
    """The figures of `evaluate identification --images`."""
    fewer = report.n_templates < report.n_templates_asked
    asked = f", {report.n_templates_asked} were asked for" if fewer else ""
    people = f"drawn from {report.n_members} of {report.n_people} people"
    enrolled = f"{report.n_templates} photos and their flips enrolled of each{asked}"
    rows: list[Row] = [
        ("classes", f"{report.n_classes} of {report.n_gallery}", f"{people}; {enrolled}"),
        ("no face found", str(report.n_undetected), "photos; counted, not dropped"),
    ]
    kinds = {
        "one photo": report.per_look,
        "one look of a clip": report.per_worse_look,
        "whole clip": report.after_evidence,
    }
    for kind, figures in kinds.items():
        rows += [] if figures is None else _search_rows(kind, figures, report)
    return rows


def _search_rows(kind: str, figures: SearchFigures, report: ClassesReport) -> list[Row]:
    of = f"{report.n_probes:,} member, {report.n_impostors:,} stranger searches"
    where = f"score ≥ {report.configured_threshold}, margin ≥ {report.margin}"
    return [
        (f"rank 1, {kind}", percent(figures.rank1), of),
        *(
            (f"FNIR at FPIR {key}, {kind}", rate_with_interval(one), f"{of}; at {level:.4f}")
            for (key, one), level in zip(
                figures.fnir_at_fpir.items(), figures.thresholds.values(), strict=True
            )
        ),
        (f"FPIR as configured, {kind}", rate_with_interval(figures.fpir), where),
        (f"FNIR as configured, {kind}", rate_with_interval(figures.fnir), where),
        (f"wrong name, {kind}", rate_with_interval(figures.misidentified), where),
    ]
