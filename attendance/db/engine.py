"""The SQLite file: how it is opened, how it is read and how it is written.

Durability first: WAL, `synchronous=FULL`, foreign keys on, and every writing transaction begins
IMMEDIATE, so two writers queue up instead of failing half way. What SQLite says when a disk is
full or a file is foreign becomes one of our own errors, written for the person at the screen.
"""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from attendance.core.errors import StorageError, StorageFullError
from attendance.db.migrate import migrate_to_head

FILE_NAME = "attendance.db"
BUSY_TIMEOUT_MS = 5000
LOCK_TIMEOUT_S = 60.0
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
)


class Database:
    """One school's database. Threads may share it; a fork may not inherit it: open after it."""

    __slots__ = ("_lock", "_watch", "_writing", "engine", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = _create_engine(path)
        self._writing = self.engine.execution_options(is_immediate=True)
        self._lock = threading.Lock()
        self._watch: sqlite3.Connection | None = None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A snapshot of the database to read from; nothing written through it stays.

        Raises:
            StorageError: the database cannot be read.
        """
        with storage_errors(self.path), Session(self.engine) as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: all of it is on the disk when the block ends, or none of it.

        Raises:
            StorageFullError: the disk is full; the transaction is gone, all earlier ones stay.
            StorageError: the database cannot be written.
        """
        with storage_errors(self.path), Session(self._writing) as tx, tx.begin():
            tx.connection()  # take the write lock now, so that what is read stays true
            yield tx

    def version(self) -> int:
        """A number that changes when anybody commits; compare it only with an earlier one.

        Cheap enough to ask many times a second, from any thread.

        Raises:
            StorageError: the database cannot be read.
        """
        with self._lock, storage_errors(self.path):
            if self._watch is None:
                self._watch = sqlite3.connect(self.path, check_same_thread=False)
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def scrub(self) -> bool:
        """Writes the log back and empties it, so that what was deleted is gone from both files.

        Returns:
            False while a reader still needs the log; a later call or close does it then.
        """
        with storage_errors(self.path), self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)  # noqa: S101 (narrows a type)
            return bool(raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)

    def dispose(self) -> None:
        """Closes every connection this process holds."""
        with self._lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()


def open_database(home: Path) -> Database:
    """Opens a school's database, makes it at the first run and brings it up to date.

    Several processes may do this at the same time.

    Raises:
        StorageVersionError: a newer version of this program has written it.
        StorageError: the folder cannot be used, or the file is not a database of this program.
    """
    make_private_folder(home)
    database = Database(home / FILE_NAME)
    try:
        with start_up_lock(home), storage_errors(database.path):
            migrate_to_head(database.engine.execution_options(is_immediate=True))
    except BaseException:
        database.dispose()
        raise
    return database


def make_private_folder(home: Path) -> None:
    """Makes the folder, for its owner's eyes only (0700).

    Raises:
        StorageError: it cannot be made, or it is everybody's, such as /tmp.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = home.stat().st_mode
        if mode & stat.S_ISVTX:
            raise StorageError(
                f"{home} is open to everybody; name a folder that is only the school's"
            )
        if stat.S_IMODE(mode) & 0o077:
            home.chmod(0o700)
    except OSError as error:
        raise StorageError(f"{home} cannot be used as the school's folder: {error}") from error


@contextmanager
def start_up_lock(home: Path) -> Iterator[None]:
    """Lets one process at a time create or upgrade what is in the folder.

    Raises:
        StorageError: another process has been at it for a minute.
    """
    lock = FileLock(home / "migrate.lock", timeout=LOCK_TIMEOUT_S)
    try:
        lock.acquire()
    except Timeout as error:
        raise StorageError(
            f"another program has been preparing {home} for over {LOCK_TIMEOUT_S:.0f} seconds; "
            "end it and try again"
        ) from error
    except OSError as error:
        raise StorageError(f"{home} cannot be written: {error}") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turns what SQLite says into a `StorageError` with a sentence.

    A broken constraint stays an `IntegrityError`: the caller knows what it means.
    """
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError):
        raise
    except DBAPIError as error:
        raise _storage_error(path, error.orig or error) from error
    except sqlite3.Error as error:
        raise _storage_error(path, error) from error


def _storage_error(path: Path, error: BaseException) -> StorageError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StorageFullError(
            f"the disk of {path} is full or failing ({error}); nothing of this step was kept, "
            "everything before it is safe: free some space and try again"
        )
    sentences = {
        sqlite3.SQLITE_BUSY: f"{path} stayed busy for {BUSY_TIMEOUT_MS // 1000} seconds because "
        "another program is writing to it; try again",
        sqlite3.SQLITE_NOTADB: f"{path} is not a database; move it away or restore a backup",
        sqlite3.SQLITE_CORRUPT: f"{path} is damaged; restore a backup",
        sqlite3.SQLITE_CANTOPEN: f"{path} cannot be opened; check that the folder is there and "
        "yours",
        sqlite3.SQLITE_READONLY: f"{path} cannot be written; check who owns it",
    }
    return StorageError(sentences.get(code, f"{path}: {error}"))


def _create_engine(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), max_overflow=-1)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    is_immediate = connection.get_execution_options().get("is_immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_immediate else "BEGIN")
