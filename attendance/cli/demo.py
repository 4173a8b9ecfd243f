"""`attendance demo`: a class without a camera, on sample faces."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from attendance.cli.context import Context, JsonOption, write_json


def demo(
    context: typer.Context,
    headless: Annotated[bool, typer.Option("--headless", help="Print, do not browse.")] = False,
    seed: Annotated[int, typer.Option(help="Who stays away, who is the stranger.")] = 1,
    wrong_gallery: Annotated[
        bool, typer.Option("--wrong-gallery", help="Enrol under wrong names: must not pass.")
    ] = False,
    json_target: JsonOption = None,
) -> None:
    """Enrol a sample class, hold a lesson that is played from a script, show the register."""
    from attendance.demo.run import run_demo

    own: Context = context.obj
    figures: dict[str, Any] = {}
    is_as_scripted = run_demo(
        own.config,
        seed,
        is_headless=headless,
        json_figures=figures,
        gallery_shift=int(wrong_gallery),
    )
    write_json(figures, json_target)
    raise typer.Exit(0 if is_as_scripted else 1)
