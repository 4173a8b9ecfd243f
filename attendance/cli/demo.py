"""`attendance demo`: a class without a camera, on sample faces."""

from __future__ import annotations

from typing import Annotated

import typer

from attendance.cli.context import Context, JsonOption


def demo(
    context: typer.Context,
    headless: Annotated[bool, typer.Option("--headless", help="Print, do not browse.")] = False,
    seed: Annotated[int, typer.Option(help="Who stays away, who is the stranger.")] = 1,
    json_target: JsonOption = None,
) -> None:
    """Enrol five people, hold a class that is played from a script, and show the register."""
    from attendance.demo.run import run_demo

    own: Context = context.obj
    raise typer.Exit(run_demo(own.config, seed, is_headless=headless, json_target=json_target))
