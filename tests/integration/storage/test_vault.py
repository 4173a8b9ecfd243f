"""The keys: made once, never by accident, and one clear error where they do not fit."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.errors import VaultError
from attendance.db.columns import Sealed
from attendance.db.engine import open_database
from attendance.db.vault import KEY_VARIABLE, Vault, open_vault

KEY = bytes(range(32))


def in_base64(key):
    return base64.b64encode(key).decode()


def test_first_run_makes_a_key_file_for_its_owner_only(school):
    path = school.home / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_text())) == 32
    assert not path.with_suffix(".new").exists()


def test_several_may_open_a_new_vault_at_once(home):
    database = open_database(home)
    with ThreadPoolExecutor(4) as pool:
        vaults = list(pool.map(lambda _: open_vault(home, database), range(4)))
    wrapped = vaults[0].new_key(1)
    for vault in vaults:
        vault.open_key(1, wrapped)
    database.dispose()


def test_key_file_others_may_read_is_closed_again(school):
    path = school.home / "master.key"
    path.chmod(0o644)
    open_vault(school.home, school.db)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lost_key_is_one_clear_error_and_no_new_key_is_made(school):
    path = school.home / "master.key"
    path.unlink()
    with pytest.raises(VaultError, match=r"is lost: put .*master\.key back"):
        open_vault(school.home, school.db)
    assert not path.exists()


def test_wrong_key_is_one_clear_error_and_is_left_alone(school):
    path = school.home / "master.key"
    path.write_text(in_base64(KEY))
    with pytest.raises(VaultError, match=r"master\.key is not the one of"):
        open_vault(school.home, school.db)
    assert path.read_text() == in_base64(KEY)


@pytest.mark.parametrize(
    "content", ["", "not base64 at all!", in_base64(b"short")], ids=["empty", "text", "short"]
)
def test_file_that_holds_no_key_is_one_clear_error(school, content):
    (school.home / "master.key").write_text(content)
    with pytest.raises(VaultError, match="does not hold an encryption key"):
        open_vault(school.home, school.db)


def test_restored_key_opens_everything_again(school):
    path = school.home / "master.key"
    student = school.add_students("Kim")[0]
    school.enrol(student, [[1.0, 2.0]])
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(VaultError):
        open_vault(school.home, school.db)
    path.write_bytes(kept)
    school.registry._vault = open_vault(school.home, school.db)
    assert len(school.registry.templates_of(student.id, "facenet-test")) == 1


def test_key_from_the_environment_needs_no_file(home, monkeypatch, reopen):
    monkeypatch.setenv(KEY_VARIABLE, in_base64(KEY))
    reopen()
    assert not (home / "master.key").exists()
    monkeypatch.setenv(KEY_VARIABLE, in_base64(bytes(32)))
    with pytest.raises(VaultError, match=f"{KEY_VARIABLE} is not the one"):
        reopen()
    monkeypatch.delenv(KEY_VARIABLE)
    with pytest.raises(VaultError, match="is lost"):
        reopen()


def test_crash_between_key_and_check_value_keeps_the_key(school):
    """The file is written first; the next run must take it instead of making another."""
    before = (school.home / "master.key").read_text()
    school.execute("DELETE FROM key_check")
    open_vault(school.home, school.db)
    assert (school.home / "master.key").read_text() == before
    assert school.execute("SELECT count(*) FROM key_check") == [(1,)]


@given(plaintext=st.binary(max_size=3000), aad=st.binary(max_size=100))
def test_what_was_sealed_comes_back_and_never_looks_the_same_twice(plaintext, aad):
    vault = Vault(KEY)
    key = vault.open_key(7, vault.new_key(7))
    one, two = key.seal(plaintext, aad), key.seal(plaintext, aad)
    assert key.unseal(one, aad) == key.unseal(two, aad) == plaintext
    assert one.data != two.data


@given(data=st.data())
def test_any_changed_byte_is_noticed(data):
    vault = Vault(KEY)
    key = vault.open_key(7, vault.new_key(7))
    sealed = bytearray(key.seal(b"an embedding", b"its row").data)
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VaultError):
        key.unseal(Sealed(bytes(sealed)), b"its row")


@pytest.mark.parametrize("length", [0, 1, 5, 12, 13, 28])
def test_value_cut_short_is_a_vault_error(length):
    vault = Vault(KEY)
    key = vault.open_key(7, vault.new_key(7))
    with pytest.raises(VaultError):
        key.unseal(Sealed(key.seal(b"an embedding", b"").data[:length]), b"")


def test_data_key_opens_for_its_student_and_its_master_key_only():
    wrapped = Vault(KEY).new_key(7)
    with pytest.raises(VaultError, match="student 8"):
        Vault(KEY).open_key(8, wrapped)
    with pytest.raises(VaultError, match="student 7"):
        Vault(os.urandom(32)).open_key(7, wrapped)


def test_sealed_bytes_do_not_show_in_a_log():
    assert repr(Sealed(b"secret")) == "Sealed()"
