"""Text people type: one spelling (NFC), and nothing a file or a screen cannot hold."""

from __future__ import annotations

import unicodedata

from attendance.core.errors import SessionError

UNPRINTABLE = ("Cc", "Cs")


def clean_text(text: str, what: str, *, longest: int, shortest: int = 1) -> str:
    """The text without the space round it.

    Raises:
        SessionError: too short, too long, or with control characters.

    >>> clean_text("  \u1112\u1161\u11ab ", "a name", longest=5)
    '한'
    >>> clean_text("", "a reason", longest=5, shortest=0)
    ''
    """
    cleaned = unicodedata.normalize("NFC", text).strip()
    if not shortest <= len(cleaned) <= longest:
        raise SessionError(f"{what} has {shortest} to {longest} characters, got {len(cleaned)}")
    if any(unicodedata.category(c) in UNPRINTABLE and c not in "\r\n\t" for c in cleaned):
        raise SessionError(f"{what} holds no control characters")
    return cleaned
