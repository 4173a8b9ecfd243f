"""`attendance check-config`: whether a settings file means what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attendance.cli.context import JsonOption, write_json


def check_config(
    file: Annotated[Path, typer.Argument(help="A config.yaml.")], json_target: JsonOption = None
) -> None:
    """Check a settings file; every mistake is named with its line."""
    from attendance.config import load_config

    config = load_config(file)
    typer.echo(f"{file} is in order.", err=json_target == "-")
    write_json(config.model_dump(), json_target)
