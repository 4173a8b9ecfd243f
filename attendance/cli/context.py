"""What every command shares: the school it is about, and how figures leave it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from attendance.config import Config
from attendance.evaluation import reports

if TYPE_CHECKING:
    from attendance.bootstrap import School

JsonOption = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write the figures as JSON.")
]


@dataclass(frozen=True)
class Context:
    """What the options before the command said.

    Attributes:
        home: the school's folder.
        config: the settings in force.
    """

    home: Path
    config: Config

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
        reports.write_json(data, target)
