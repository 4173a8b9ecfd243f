"""`attendance doctor`: whether the system can run here, on what, and what is in its way."""

from __future__ import annotations

import typer

from attendance.cli.context import Context, JsonOption, console, write_json


def doctor(context: typer.Context, json_target: JsonOption = None) -> None:
    """Look at engine, models, folder, database and key; every problem comes with its remedy."""
    from rich.markup import escape
    from rich.table import Table

    from attendance.cli.checkup import check_all

    own: Context = context.obj
    findings = check_all(own.home, own.config.embedder)
    table = Table(show_header=False, show_edge=False, box=None)
    for finding in findings:
        remedy = f"\nremedy: {finding.remedy}" if finding.remedy else ""
        table.add_row(finding.state, finding.what, escape(finding.says + remedy))
    console(json_target).print(table)
    is_ok = all(finding.state != "problem" for finding in findings)
    write_json({"ok": is_ok, "findings": findings}, json_target)
    if not is_ok:
        raise typer.Exit(1)
