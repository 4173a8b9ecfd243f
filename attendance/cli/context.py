"""What every command shares: the school it is about, and how figures leave it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from attendance.bootstrap import School
    from attendance.config import Config

JsonOption = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write the figures as JSON.")
]


@dataclass(frozen=True)
class Context:
    """What the options before the command said.

    Attributes:
        home: the school's folder.
        config_file: the settings in it or named, None for the defaults.
    """

    home: Path
    config_file: Path | None

    @cached_property
    def config(self) -> Config:
        """The settings in force, read when first asked for: `--help` asks for none.

        Raises:
            ConfigError: the file is missing or something in it is wrong.
        """
        from attendance.config import load_config

        return load_config(self.config_file)

    @contextmanager
    def school(self) -> Iterator[School]:
        """The school, closed afterwards."""
        from attendance.bootstrap import School

        school = School(self.home, self.config)
        try:
            yield school
        finally:
            school.close()


def console(json_target: str | None = None) -> Console:
    """Where words for people go: not where JSON goes."""
    return Console(stderr=json_target == "-", soft_wrap=True, highlight=False)


def write_json(data: Any, target: str | None) -> None:
    """Write figures to a file, or to the standard output for `-`; nothing for None."""
    if target is not None:
        from attendance.evaluation import reports

        reports.write_json(data, target)
