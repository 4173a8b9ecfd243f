"""`attendance bench`: speed beside facenet-pytorch's, in one run."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from attendance.cli.context import Context, JsonOption, console, write_json


def bench(
    context: typer.Context,
    repeats: Annotated[int, typer.Option(min=1, help="Of every measurement.")] = 15,
    json_target: JsonOption = None,
) -> None:
    """Measure scan and embedding beside facenet-pytorch in eager torch, taking turns."""
    from attendance.demo.sample_class import astronaut
    from attendance.evaluation import speed

    own: Context = context.obj
    screen = console(json_target)
    with own.school() as school, Progress(console=screen, transient=True) as progress:
        task = progress.add_task("Measuring", total=speed.steps(repeats))
        figures = speed.measure(school, astronaut(), repeats, lambda: progress.advance(task))
    table = Table("", "ours, ms", "facenet-pytorch, ms", "ratio", title=figures["processor"])
    stages = figures["stages_ms"]
    for name, ratio in (
        ("scan_720p_1", "scan_ratio_720p_1"),
        ("scan_720p_8", "scan_ratio_720p_8"),
        ("embed_8", "embed_ratio"),
    ):
        theirs = stages[f"reference_{name}"]
        table.add_row(name, f"{stages[name]:.1f}", f"{theirs:.1f}", f"{figures[ratio]:.1f}")
    screen.print(table)
    write_json(figures, json_target)
