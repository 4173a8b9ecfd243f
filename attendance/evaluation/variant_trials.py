"""The variants of one embedder side by side: how fast, how alike to f32, at what cost.

Times are taken in turns, so that what else the machine does hits all of them alike; their ratios
are what is worth quoting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.faces import MainFaces, crops_key, embed_faces
from attendance.evaluation.gate import GateKeeper
from attendance.evaluation.reports import shown
from attendance.vision.facenet import FaceNet
from attendance.vision.quantized import Gate, Parity, parity

BATCHES = (1, 8)
ROUNDS = 15
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Trial:
    """One variant.

    Attributes:
        ms_per_face: median milliseconds a face, for each batch size of `BATCHES`.
        parity: with f32, on crops no variant was calibrated with.
        gate: None where no photos to measure it on were given.
    """

    variant: str
    ms_per_face: dict[str, float]
    parity: Parity
    gate: Gate | None


def try_variants(
    variants: Sequence[FaceNet],
    crops: npt.NDArray[np.uint8],
    gates: dict[str, Gate],
    rounds: int = ROUNDS,
) -> list[Trial]:
    """Measure variants beside each other.

    Args:
        variants: f32 first.
        crops: (n, 160, 160, 3) uint8 RGB that no variant was calibrated with.
        gates: by variant, those that were measured.
        rounds: of the timing.
    """
    times = _times(variants, crops, rounds)
    reference = variants[0].embed_crops(crops)
    return [
        Trial(
            one.variant,
            times[one.variant],
            parity(one.embed_crops(crops), reference),
            gates.get(one.variant),
        )
        for one in variants
    ]


def gate_variants(
    variants: Sequence[FaceNet], faces: MainFaces, cache: Path | None, settings: str
) -> dict[str, Gate]:
    """What each variant loses against the first, which is f32.

    Args:
        variants: f32 first.
        faces: the people to measure on.
        cache: keeps embeddings from one run to the next; None keeps nothing.
        settings: whatever else the embeddings depend on, for the cache.

    Raises:
        PhotoError: a photo is no image.
        ProtocolError: the people are too few to compare.
    """
    caches = [
        EmbeddingCache(cache, crops_key(one, settings)) if cache else None for one in variants
    ]
    reference, *others = embed_faces(variants, faces, caches)
    keeper = GateKeeper(faces, reference)
    return {one.variant: keeper.judge(rows) for one, rows in zip(variants[1:], others, strict=True)}


def _times(
    variants: Sequence[FaceNet], crops: npt.NDArray[np.uint8], rounds: int
) -> dict[str, dict[str, float]]:
    """Median milliseconds a face by variant and batch."""
    repeated = {batch: np.resize(crops, (batch, *crops.shape[1:])) for batch in BATCHES}
    taken = median_ms_in_turns(
        {
            (one.variant, batch): partial(one.embed_crops, repeated[batch])
            for batch in BATCHES
            for one in variants
        },
        rounds,
    )
    return {
        one.variant: {str(b): round(taken[one.variant, b] / b, 2) for b in BATCHES}
        for one in variants
    }


def median_ms_in_turns(
    work: Mapping[K, Callable[[], object]], rounds: int = ROUNDS
) -> dict[K, float]:
    """Median milliseconds of each piece of work, after one round that does not count."""
    taken: dict[K, list[float]] = {key: [] for key in work}
    for count in shown(range(rounds + 1), "Timing"):
        for key, do in work.items():
            began = time.perf_counter()
            do()
            taken[key] += [(time.perf_counter() - began) * 1000] if count else []
    return {key: median(each) for key, each in taken.items()}
