"""Column types that cannot hold what they must not hold: naive times and clear biometric bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


@dataclass(frozen=True)
class Sealed:
    """Bytes the vault has encrypted; the only thing a `SealedBytes` column accepts.

    Attributes:
        data: format byte, nonce, ciphertext and tag; never shown by `repr`.
    """

    data: bytes = field(repr=False)


class SealedBytes(TypeDecorator[Sealed]):
    """A column of encrypted bytes: anything but a `Sealed` value is refused before it is sent."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> bytes | None:
        """The bytes of a sealed value.

        Raises:
            TypeError: the value was not sealed by the vault.
        """
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise TypeError(f"only sealed values may be stored here, got {type(value).__name__}")
        return value.data

    def process_result_value(self, value: Any, _dialect: Dialect) -> Sealed | None:
        """The stored bytes, still sealed."""
        return None if value is None else Sealed(bytes(value))


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware on both sides, UTC in the file."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> datetime | None:
        """UTC without its zone, as SQLite stores it.

        Raises:
            ValueError: the time is naive, so nobody can say which moment it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a stored time must be aware, got the naive {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None)  # type: ignore[no-any-return]

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """The same moment, aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)
