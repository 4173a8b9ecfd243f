"""`attendance models`: which weights there are, which are in use, and how others come in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from attendance.cli.context import Context, JsonOption, console, write_json
from attendance.cli.quantize import quantize

app = typer.Typer(no_args_is_help=True, help="The weights that make embeddings.")
app.command("quantize")(quantize)


@app.command("list")
def list_models(context: typer.Context, json_target: JsonOption = None) -> None:
    """List the weights and what is wrong with those that cannot be used."""
    own: Context = context.obj
    with own.school() as school:
        entries = school.models.entries()
    table = Table("", "name", "network", "model_id", "from", "state")
    for entry in entries:
        mark = "in use" if entry.is_active else ""
        state = entry.problem or "ready"
        table.add_row(mark, entry.name, entry.kind, entry.model_id, entry.origin, state)
    console(json_target).print(table)
    write_json(entries, json_target)


@app.command("use")
def use(context: typer.Context, name: Annotated[str, typer.Argument()]) -> None:
    """Use these weights in sessions opened from now on; templates of others stay, not compared."""
    own: Context = context.obj
    with own.school() as school:
        entry = school.models.use(name)
        everybody = [student.id for student in school.registry.students()]
        ready = len(school.registry.enrolled(everybody, entry.model_id))
    typer.echo(f"{name} is in use ({entry.model_id}).")
    if ready < len(everybody):
        typer.echo(
            f"{len(everybody) - ready} of {len(everybody)} students have no templates of it: they "
            "were enrolled before it was installed, and photos are not kept. Until they are "
            "enrolled again no camera names them."
        )


@app.command("fetch")
def fetch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="sface, vggface2, or a name of your own.")],
    file: Annotated[Path | None, typer.Option(help="A .pt or .onnx file.")] = None,
) -> None:
    """Install weights from a file, or download those that are published.

    Do so before students are enrolled: enrolment makes templates of all weights that are installed.
    """
    from attendance.db.engine import make_private_folder

    own: Context = context.obj
    make_private_folder(own.home)
    with own.school() as school, console().status("Installing the weights"):
        entry = school.models.fetch(name, file)
    typer.echo(f"{name} is installed ({entry.model_id}); `attendance models use {name}`.")
