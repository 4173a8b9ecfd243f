"""The file itself: how it is opened, migrated and written."""

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from attendance.core.errors import StorageError, StorageVersionError
from attendance.db import migrate, upgrades
from attendance.db.engine import open_database
from attendance.db.models import Base, StudentRow

import attendance.db.calibration_models  # isort: skip (their tables belong to Base)
import attendance.db.class_models  # noqa: F401  isort: skip (likewise)


def test_home_is_for_its_owner_only(home):
    home.mkdir(mode=0o755)
    open_database(home).dispose()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_folder_of_everybody_is_refused_instead_of_locked_up(tmp_path):
    public = tmp_path / "like-tmp"
    public.mkdir()
    public.chmod(0o1777)
    with pytest.raises(StorageError, match="open to everybody"):
        open_database(public)
    assert stat.S_IMODE(public.stat().st_mode) == 0o1777


def test_home_that_is_a_file_is_one_clear_error(tmp_path):
    path = tmp_path / "file"
    path.write_text("hello")
    with pytest.raises(StorageError, match="cannot be used"):
        open_database(path)


def test_every_connection_is_durable_and_checks_foreign_keys(school):
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    with school.db.engine.connect() as one, school.db.engine.connect() as two:
        for connection in (one, two):
            found = {k: connection.exec_driver_sql(f"PRAGMA {k}").scalar() for k in wanted}
            assert found == wanted


def test_migrations_make_exactly_the_tables_of_the_models(school):
    with school.db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_the_newest_migration_is_known_without_alembic():
    """Every start compares revisions; importing Alembic for that would cost it half a second."""
    scripts = ScriptDirectory.from_config(upgrades.alembic_config(migrate.MIGRATIONS))
    assert migrate.head() == scripts.get_current_head()
    assert scripts.get_bases() == ["0001"]


def test_opening_again_changes_nothing(school, reopen):
    school.add_students("Kim")
    assert [s.name for s in reopen().registry.students()] == ["Kim"]


def test_several_may_open_a_new_home_at_once(home):
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_database(home), range(4)))
    with opened[0].read() as tx:
        assert tx.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
    for database in opened:
        database.dispose()


def test_first_run_that_is_interrupted_leaves_nothing_half_made(home, monkeypatch):
    upgrade = upgrades.command.upgrade

    def upgrade_and_stop(*arguments):
        upgrade(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(upgrades.command, "upgrade", upgrade_and_stop)
        with pytest.raises(KeyboardInterrupt):
            open_database(home)
    left = sqlite3.connect(home / "attendance.db")
    assert left.execute("SELECT name FROM sqlite_master").fetchall() == []
    left.close()
    open_database(home).dispose()


def test_database_of_a_newer_version_is_refused_and_left_alone(school, home):
    school.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageVersionError, match="newer version"):
        open_database(home)
    assert school.execute("SELECT version_num FROM alembic_version") == [("9999",)]


@pytest.mark.parametrize(
    "content",
    [b"this is a letter, not a database\n" * 100, b"SQLite format 3\x00" + b"\xff" * 5000],
    ids=["text", "only its first bytes are right"],
)
def test_file_that_is_no_database_is_one_clear_error(home, content):
    home.mkdir()
    (home / "attendance.db").write_bytes(content)
    with pytest.raises(StorageError, match=r"attendance\.db"):
        open_database(home)
    assert (home / "attendance.db").read_bytes() == content


def test_database_of_another_program_is_refused_and_left_alone(home):
    home.mkdir()
    other = sqlite3.connect(home / "attendance.db")
    other.execute("CREATE TABLE invoice (id INTEGER)")
    other.close()
    with pytest.raises(StorageError, match=r"another program.*invoice"):
        open_database(home)


def test_write_rolls_back_what_fails_half_way(school):
    def add_and_stumble():
        with school.db.write() as tx:
            tx.add(StudentRow(number="1", name="Kim"))
            tx.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_stumble()
    assert school.registry.students() == []


def test_nothing_written_through_a_reader_stays(school):
    with school.db.read() as tx:
        tx.add(StudentRow(number="1", name="Kim"))
        tx.flush()
    assert school.registry.students() == []


def test_reader_keeps_its_snapshot_while_others_write(school):
    with school.db.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM student")).scalar() == 0
        school.add_students("Kim")
        assert tx.execute(text("SELECT count(*) FROM student")).scalar() == 0


def test_writer_that_waits_too_long_gets_a_sentence(school):
    holder = sqlite3.connect(school.db.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with school.db.engine.connect() as connection:  # the pool gives this one out next
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    with pytest.raises(StorageError, match="busy"):
        school.add_students("Kim")
    holder.close()
    school.add_students("Kim")


def test_broken_constraint_stays_an_integrity_error(school):
    school.add_students("Kim")
    with pytest.raises(IntegrityError, match="UNIQUE"), school.db.write() as tx:
        tx.add(StudentRow(number="S001", name="Lee"))


def test_version_moves_when_anybody_commits_and_stands_still_otherwise(school, reopen):
    before = school.db.version()
    assert school.db.version() == before
    school.add_students("Kim")
    own = school.db.version()
    assert own != before
    reopen().add_students("Lee")
    assert school.db.version() != own


def test_version_may_be_asked_from_many_threads(school):
    gate = threading.Barrier(4)

    def ask(_):
        gate.wait()
        return {school.db.version() for _ in range(200)}

    with ThreadPoolExecutor(4) as pool:
        assert len(set().union(*pool.map(ask, range(4)))) == 1


def test_naive_time_is_refused(school):
    student = school.add_students("Kim")[0]
    with pytest.raises(StatementError, match="naive"):
        school.registry.give_consent(
            student.id,
            text_version="1",
            language="en",
            at=datetime(2026, 3, 2, 9, 0),
        )
