"""Embedders side by side as a table: under each figure a line for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attendance.evaluation.tables import Row, percent, with_interval

if TYPE_CHECKING:
    from attendance.evaluation.side_by_side import EmbedderFigures, SideBySideReport


def side_by_side_rows(report: SideBySideReport) -> list[Row]:
    """The figures of `evaluate verification --embedders`."""
    columns = report.embedders
    one, everything = columns[0].report, columns[0].report.all_pairs
    same = f"{one.n_same} same-person, {one.n_cross} different-person pairs"
    pairs = f"{everything.n_same:,} same-person, {everything.n_cross:,} different-person pairs"
    people = f"{pairs} of {everything.n_people} people; points against {columns[0].name}"
    rows: list[Row] = [("accuracy", "", f"{one.n_pairs} pairs, {one.protocol}")]
    rows += [_pair_row(column, "accuracy") for column in columns]
    rows.append(("EER", "", same))
    rows += [_pair_row(column, "eer") for column in columns]
    for far in everything.val_at_far:
        rows.append((f"VAL at FAR {far}, all pairs", "", people))
        rows += [_far_row(column, far, columns[0]) for column in columns]
    batch = f"network and its preparation, in turns, a batch of {report.timed_faces}"
    rows.append(("milliseconds a face", "", batch))
    rows += [
        (f"  {column.name}", f"{column.ms_per_face:.2f}", f"{column.dimension} dimensions")
        for column in columns
    ]
    return [*rows, ("no face found", str(one.n_undetected), "photos in the pairs; counted")]


def _pair_row(column: EmbedderFigures, figure: str) -> Row:
    at = f"threshold {column.report.threshold:.4f}" if figure == "accuracy" else ""
    return (f"  {column.name}", with_interval(column.report, figure), at)


def _far_row(column: EmbedderFigures, far: str, first: EmbedderFigures) -> Row:
    figure, gain = column.report.all_pairs.val_at_far[far], column.val_gain[far]
    note = f"threshold {figure.threshold:.4f}"
    if column is not first:
        more = f"{100 * gain.value:+.2f} ({100 * gain.low:.2f} to {100 * gain.high:.2f})"
        note = f"{more} points; {note}"
    interval = f"({100 * figure.low:.2f} to {100 * figure.high:.2f})"
    return (f"  {column.name}", f"{percent(figure.val)} {interval}", note)
