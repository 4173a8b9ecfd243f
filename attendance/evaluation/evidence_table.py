"""The figures of `evaluate evidence` as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attendance.evaluation.tables import Row, percent

if TYPE_CHECKING:
    from attendance.evaluation.evidence import EvidenceReport, RuleFigure


def evidence_rows(report: EvidenceReport) -> list[Row]:
    """What was played, then each rule at each rate of strangers."""
    rows = [
        ("classes", str(report.rosters), f"{report.roster} of {report.n_enrolled} people each"),
        ("tracks of theirs", str(report.n_probes), f"from {report.n_probe_clips} clips"),
        ("tracks of strangers", str(report.n_strangers), f"from {report.n_stranger_clips} clips"),
        ("correlation", f"{report.correlation:.2f}", "of two looks of one track"),
    ]
    for fpir, figures in report.figures.items():
        rows += [
            (f"FNIR at FPIR {fpir}, {name}", percent(each.fnir_at_own), _note(each))
            for name, each in figures.items()
        ]
    return rows


def _note(figure: RuleFigure) -> str:
    lead = "; ".join(f"{100 * end:+.2f}" for end in (figure.lead, *figure.lead_interval))
    return (
        f"lead over today's rule {lead}; at the chosen {figure.threshold:.3f}: "
        f"FNIR {_rate(figure.fnir, figure.fnir_interval)}, "
        f"FPIR {_rate(figure.fpir, figure.fpir_interval)}"
    )


def _rate(share: float, ends: tuple[float, float]) -> str:
    return f"{percent(share)} ({100 * ends[0]:.2f} to {100 * ends[1]:.2f})"
