"""The keys: one master key for the school, one data key for each student, AES-256-GCM for both.

The master key comes from the environment or from a file made at the first run. It wraps the data
keys; they seal the templates. Erasing a student destroys the data key, so what the disk may still
hold of the templates opens for nobody.
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from attendance.core.errors import VaultError
from attendance.db.columns import Sealed
from attendance.db.engine import Database, start_up_lock
from attendance.db.models import KeyCheckRow

KEY_VARIABLE = "ATTENDANCE_MASTER_KEY"
KEY_FILE = "master.key"
KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = b"\x01"
CHECK_VALUE = b"attendance master key"


class DataKey:
    """One student's key, unwrapped; keep it no longer than the work with it takes."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plaintext: bytes, aad: bytes) -> Sealed:
        """Encrypts under a fresh random nonce; `aad` is what the bytes belong to."""
        nonce = os.urandom(NONCE_BYTES)
        return Sealed(FORMAT + nonce + self._cipher.encrypt(nonce, plaintext, FORMAT + aad))

    def unseal(self, sealed: Sealed, aad: bytes) -> bytes:
        """The bytes that were sealed.

        Raises:
            VaultError: another key, another place than `aad` says, or a damaged value.
        """
        head, nonce, body = _split(sealed.data)
        try:
            return self._cipher.decrypt(nonce, body, head + aad)
        except (InvalidTag, ValueError):  # ValueError: cut so short that no nonce is left
            raise VaultError(
                "a stored template does not open: it was moved, changed or damaged; restore the "
                "database from a backup or enrol the student again"
            ) from None


class Vault:
    """Hands out data keys. Thread-safe: it keeps the master key and no other state."""

    __slots__ = ("_master",)

    def __init__(self, master_key: bytes) -> None:
        self._master = DataKey(master_key)

    def new_key(self, student_id: int) -> bytes:
        """A fresh data key for one student, wrapped by the master key."""
        key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        return self._master.seal(key, _owner(student_id)).data

    def open_key(self, student_id: int, wrapped: bytes) -> DataKey:
        """Unwraps a student's data key.

        Raises:
            VaultError: it was not wrapped for this student, or not by this master key.
        """
        try:
            return DataKey(self._master.unseal(Sealed(wrapped), _owner(student_id)))
        except VaultError:
            raise VaultError(
                f"the data key of student {student_id} does not open; restore the database from "
                "a backup or enrol the student again"
            ) from None


def open_vault(home: Path, db: Database) -> Vault:
    """The vault of a school; its master key is made at the first run and never again.

    Raises:
        VaultError: the database belongs to a master key that is lost, or not to the one found.
    """
    with start_up_lock(home):
        check = _stored_check(db)
        key, origin = _find_key(home)
        if key is None and check is not None:
            raise VaultError(
                f"the encryption key of {db.path} is lost: put {home / KEY_FILE} back from your "
                f"backup, or set {KEY_VARIABLE}; no new key was made"
            )
        if key is None:
            key = _make_key(home / KEY_FILE)
        _verify_or_store(db, DataKey(key), check, origin)
    return Vault(key)


def _stored_check(db: Database) -> Sealed | None:
    with db.read() as tx:
        row = tx.get(KeyCheckRow, 1)
        return None if row is None else row.sealed


def _verify_or_store(db: Database, master: DataKey, check: Sealed | None, origin: str) -> None:
    aad = b"key-check"
    if check is None:
        with db.write() as tx:
            tx.add(KeyCheckRow(id=1, sealed=master.seal(CHECK_VALUE, aad)))
        return
    try:
        master.unseal(check, aad)
    except VaultError:
        raise VaultError(
            f"the encryption key in {origin} is not the one of {db.path}; put the right one back"
        ) from None


def _find_key(home: Path) -> tuple[bytes | None, str]:
    """The key and where it came from: the environment before the file."""
    path = home / KEY_FILE
    named = os.environ.get(KEY_VARIABLE)
    if named:
        return _decode(named, KEY_VARIABLE), KEY_VARIABLE
    try:
        content = path.read_text(encoding="ascii")
        path.chmod(0o600)
    except FileNotFoundError:
        return None, str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"the encryption key {path} cannot be read ({error})") from error
    return _decode(content, str(path)), str(path)


def _decode(content: str, origin: str) -> bytes:
    try:
        key = base64.b64decode(content.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultError(f"{origin} does not hold an encryption key (32 bytes in base64)")
    return key


def _make_key(path: Path) -> bytes:
    """Writes a new key beside its place and moves it there whole, so a crash leaves no half."""
    key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
    draft = path.with_suffix(".new")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise VaultError(f"the encryption key {path} cannot be written ({error})") from error
    return key


def _sync_folder(folder: Path) -> None:
    """Makes the file's name as durable as its content, before anything is sealed under it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _owner(student_id: int) -> bytes:
    return f"student-key|{student_id}".encode()


def _split(data: bytes) -> tuple[bytes, bytes, bytes]:
    head, rest = data[: len(FORMAT)], data[len(FORMAT) :]
    return head, rest[:NONCE_BYTES], rest[NONCE_BYTES:]
