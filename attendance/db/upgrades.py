"""Alembic's side of a migration; imported only where a file has to change, for it costs time."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from attendance.core.errors import StorageVersionError


def upgrade(connection: Connection, folder: Path, revision: str | None) -> None:
    """Runs the missing migrations in the connection's transaction.

    Args:
        connection: in a transaction that its owner ends.
        folder: holds the migrations.
        revision: what the file stands at, None for an empty one.

    Raises:
        StorageVersionError: the file knows a revision this program does not.
    """
    config = alembic_config(folder)
    _check_known(ScriptDirectory.from_config(config), revision, connection)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def alembic_config(folder: Path) -> Config:
    """Alembic's settings; there is no ini file to lose."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _check_known(scripts: ScriptDirectory, revision: str | None, connection: Connection) -> None:
    try:
        if revision is not None:
            scripts.get_revision(revision)
    except CommandError as error:
        raise StorageVersionError(
            f"{connection.engine.url.database} was written by a newer version of this program "
            f"(revision {revision}); upgrade the program, or restore a backup made before"
        ) from error
