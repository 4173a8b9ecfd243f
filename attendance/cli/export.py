"""`attendance export`: attendance logs as rows, one a student and session."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from attendance.cli.context import Context, console, write_json


class ExportFormat(StrEnum):
    """How rows are written."""

    CSV = "csv"
    JSON = "json"


def export(
    context: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    course: Annotated[str | None, typer.Option(help="Of this course only.")] = None,
    from_date: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")
    ] = None,
    to_date: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")
    ] = None,
    format_: Annotated[ExportFormat, typer.Option("--format")] = ExportFormat.CSV,
) -> None:
    """Export attendance logs."""
    from attendance.sessions import write_csv

    own: Context = context.obj
    with own.school() as school:
        course_id = None if course is None else school.sessions.find_course(course).id
        rows = list(school.sessions.export_rows(course_id, _day(from_date), _day(to_date)))
    partial = output.with_name(output.name + ".partial")
    if format_ is ExportFormat.CSV:
        with partial.open("w", encoding="utf-8", newline="") as file:
            write_csv(rows, file)
    else:
        write_json(rows, str(partial))
    partial.replace(output)
    console().print(f"{len(rows)} rows are in {output}.")


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
