"""Bringing a database file up to what this version of the program expects."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, text

from attendance.core.errors import StorageError

MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """The newest revision: migrations are numbered in order, and their files begin with it.

    >>> head().isdecimal()
    True
    """
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


def migrate_to_head(engine: Engine) -> None:
    """Runs the missing migrations in one transaction: all of them or none.

    Raises:
        StorageVersionError: the file knows a revision this program does not.
        StorageError: the file holds somebody else's tables.
    """
    with engine.begin() as connection:
        revision = _revision(connection)
        if revision == head():
            return
        from attendance.db.upgrades import upgrade

        upgrade(connection, MIGRATIONS, revision)


def _revision(connection: Connection) -> str | None:
    tables = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
    if "alembic_version" in tables:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)
    if tables:
        raise StorageError(
            f"{connection.engine.url.database} is a database of another program (it has a table "
            f"'{tables[0]}'); move it away or name another folder"
        )
    return None
