"""What the registry hands out and takes in, and what makes it refuse."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from attendance.core.domain import FloatArray, Pose
from attendance.core.errors import DimensionError, RegistryError

ERASED_NAME = "(erased)"
NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
NAME_LENGTH = 100


@dataclass(frozen=True)
class Student:
    """A student as a screen may show them."""

    id: int
    number: str
    name: str


@dataclass(frozen=True)
class Consent:
    """What a student agreed to, in which words and language."""

    text_version: str
    language: str
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True)
class NewTemplate:
    """A reference embedding on its way in or out.

    Attributes:
        sample_key: names the photo; the original and its flip share it.
        embedding: (d,) float32.
    """

    sample_key: str
    pose: Pose
    is_flip: bool
    embedding: FloatArray

    def __post_init__(self) -> None:
        e = self.embedding
        if e.ndim != 1 or e.size == 0 or e.dtype != np.float32:
            raise DimensionError(f"an embedding is (d,) float32, got {e.shape} {e.dtype}")


def clean_number(number: str) -> str:
    """A student number without the spaces round it.

    Raises:
        RegistryError: not 1 to 32 letters, digits, dots, dashes or underscores.

    >>> clean_number(" 2026-017 ")
    '2026-017'
    """
    stripped = number.strip()
    if not NUMBER.fullmatch(stripped):
        raise RegistryError(
            f"a student number is 1 to 32 letters, digits, dots, dashes or underscores and starts "
            f"with a letter or digit, got {number!r}"
        )
    return stripped


def clean_name(name: str) -> str:
    """A name in one spelling (NFC), so that a Hangul name is the same from every keyboard.

    Raises:
        RegistryError: empty, over 100 characters, or with control characters.

    >>> len(clean_name("\u1112\u1161\u11ab")), clean_name("  Kim  ")
    (1, 'Kim')
    """
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(cleaned) <= NAME_LENGTH:
        raise RegistryError(f"a name has 1 to {NAME_LENGTH} characters, got {len(cleaned)}")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in cleaned):
        raise RegistryError("a name holds no control characters")
    return cleaned


def one_dimension(templates: Sequence[NewTemplate]) -> int:
    """The dimension all these templates share.

    Raises:
        DimensionError: they differ.
        RegistryError: there are none, or two are of the same photo and flip.
    """
    if not templates:
        raise RegistryError("at least one template is needed to replace the earlier ones")
    dimensions = {template.embedding.size for template in templates}
    if len(dimensions) > 1:
        raise DimensionError(f"the templates of a model share one dimension, got {dimensions}")
    photos = {(template.sample_key, template.is_flip) for template in templates}
    if len(photos) < len(templates):
        raise RegistryError("two templates are of the same photo and flip")
    return dimensions.pop()
