"""Bringing a database file up to what this version of the program expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, inspect, text

from attendance.core.errors import StorageError, StorageVersionError


def alembic_config() -> Config:
    """Alembic's settings; there is no ini file to lose."""
    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate_to_head(engine: Engine) -> None:
    """Runs the missing migrations in one transaction: all of them or none.

    Raises:
        StorageVersionError: the file knows a revision this program does not.
        StorageError: the file holds somebody else's tables.
    """
    config = alembic_config()
    scripts = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        revision = _revision(connection)
        if revision == scripts.get_current_head():
            return
        _check_known(scripts, revision, engine)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)
    if tables:
        raise StorageError(
            f"{connection.engine.url.database} is a database of another program (it has a table "
            f"'{tables[0]}'); move it away or name another folder"
        )
    return None


def _check_known(scripts: ScriptDirectory, revision: str | None, engine: Engine) -> None:
    try:
        if revision is not None:
            scripts.get_revision(revision)
    except CommandError as error:
        raise StorageVersionError(
            f"{engine.url.database} was written by a newer version of this program (revision "
            f"{revision}); upgrade the program, or restore a backup made before"
        ) from error
