"""The command line: `attendance --help`. Commands import what they need when they run."""

from __future__ import annotations

import gc
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from attendance.cli import (
    bench,
    calibrate,
    demo,
    doctor,
    export,
    identify,
    models,
    people,
    serve,
    session,
    settings,
)
from attendance.cli.context import Context
from attendance.core.errors import AttendanceError
from attendance.evaluation import calibration_commands
from attendance.evaluation.commands import app as evaluate
from attendance.home import default_home

COLLECT_EVERY = 50_000

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Real-time classroom attendance from a webcam.",
)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", envvar="ATTENDANCE_HOME", help="The school's folder."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", envvar="ATTENDANCE_CONFIG", help="Settings; see config.yaml."),
]


@app.callback()
def _settings(
    context: typer.Context,
    home: HomeOption = None,
    config: ConfigOption = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say what happens.")] = False,
) -> None:
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(name)s: %(message)s")
    folder = (home or default_home()).expanduser().resolve()
    own = folder / "config.yaml"
    context.obj = Context(folder, config or (own if own.is_file() else None))


app.command("run")(serve.run)
app.command("demo")(demo.demo)
app.command("enroll")(people.enroll)
app.command("erase")(people.erase)
app.command("identify")(identify.identify)
app.command("bench")(bench.bench)
app.command("export")(export.export)
app.command("calibrate")(calibrate.calibrate)
app.command("doctor")(doctor.doctor)
app.command("check-config")(settings.check_config)
app.add_typer(people.courses, name="course")
app.add_typer(session.app, name="session")
app.add_typer(models.app, name="models")
evaluate.command("background")(calibration_commands.background)
evaluate.command("calibration")(calibration_commands.calibration)
app.add_typer(evaluate, name="evaluate")


def main() -> None:
    """Run one command; an `AttendanceError` is one sentence and exit code 1."""
    gc.set_threshold(COLLECT_EVERY)  # imports free nothing: collecting took a sixth of a start
    try:
        app()
    except AttendanceError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
