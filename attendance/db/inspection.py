"""A look at a school's database that changes nothing: no migration, no key, no file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from attendance.core.errors import StorageError


@dataclass(frozen=True)
class DatabaseState:
    """What stands in a database file.

    Attributes:
        revision: the migration it is at; empty in a file without any.
        damage: what SQLite's quick check found; empty in a sound one.
        has_key: whether it belongs to an encryption key already.
    """

    revision: str
    damage: str
    has_key: bool


def inspect_database(path: Path) -> DatabaseState:
    """Read what state a database is in.

    Raises:
        StorageError: it cannot be read as a database.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            found = str(file.execute("PRAGMA quick_check(3)").fetchone()[0])
            return DatabaseState(
                revision=_first(file, "alembic_version", "version_num"),
                damage="" if found == "ok" else " ".join(found.split()),
                has_key=bool(_first(file, "key_check", "id")),
            )
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be read as a database ({error})") from error


def _first(file: sqlite3.Connection, table: str, column: str) -> str:
    """A value of the table's first row; empty where there is no such row or table."""
    names = file.execute("SELECT name FROM sqlite_master WHERE name = ?", (table,)).fetchall()
    row = file.execute(f"SELECT {column} FROM {table}").fetchone() if names else None  # noqa: S608
    return "" if row is None else str(row[0])
