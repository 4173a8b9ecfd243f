"""Figures as tables for people, each rate with what it is of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from attendance.evaluation.clips import ClipsReport
    from attendance.evaluation.detection import DetectionReport
    from attendance.evaluation.identification import IdentificationReport
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
    rows = [
        ("accuracy", percent(report.accuracy), f"{report.n_pairs} pairs, {report.protocol}"),
        ("sd of it", percent(report.accuracy_sd), "over folds, else over a bootstrap of people"),
        ("threshold", f"{report.threshold:.4f}", report.protocol),
        ("precision", percent(report.precision), f"{report.n_pairs} pairs"),
        ("recall", percent(report.recall), same),
        ("F1", percent(report.f1), f"{report.n_pairs} pairs"),
        ("EER", percent(report.eer), f"{same}, {cross}"),
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
    return rows + [_far_row(key, figure) for key, figure in everything.val_at_far.items()]


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
