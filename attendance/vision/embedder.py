"""What every embedder of this package is, whichever network runs in it."""

from __future__ import annotations

from typing import Protocol

from attendance.core.pipeline import Embedder


class NamedEmbedder(Embedder, Protocol):
    """An embedder that also says how it computes.

    Attributes:
        variant: engine and precision; recorded, never part of comparability.
        dimension: length of an embedding.
    """

    variant: str
    dimension: int
