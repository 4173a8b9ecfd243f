"""The variants of one embedder side by side: how fast, how alike to f32, at what cost.

Times are taken in turns, so that what else the machine does hits all of them alike; their ratios
are what is worth quoting.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from attendance.evaluation.cache import EmbeddingCache
from attendance.evaluation.faces import MainFaces, embed_faces
from attendance.evaluation.gate import GateKeeper
from attendance.evaluation.reports import shown
from attendance.vision.facenet import FaceNet
from attendance.vision.quantized import Gate, Parity, parity

BATCHES = (1, 8)
ROUNDS = 15


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

    def embedded(one: FaceNet) -> npt.NDArray[np.float32]:
        key = f"crops|{one.model_id}|{one.variant}|{settings}"
        return embed_faces(one, faces, EmbeddingCache(cache, key) if cache else None)

    keeper = GateKeeper(faces, embedded(variants[0]))
    return {one.variant: keeper.judge(embedded(one)) for one in variants[1:]}


def _times(
    variants: Sequence[FaceNet], crops: npt.NDArray[np.uint8], rounds: int
) -> dict[str, dict[str, float]]:
    """Median milliseconds a face by variant and batch, after one round that does not count."""
    taken: dict[tuple[str, int], list[float]] = {}
    for count in shown(range(rounds + 1), "Timing"):
        for batch in BATCHES:
            repeated = np.resize(crops, (batch, *crops.shape[1:]))
            for one in variants:
                began = time.perf_counter()
                one.embed_crops(repeated)
                spent = (time.perf_counter() - began) * 1000 / batch
                taken.setdefault((one.variant, batch), []).extend([spent] if count else [])
    return {
        one.variant: {str(batch): round(median(taken[one.variant, batch]), 2) for batch in BATCHES}
        for one in variants
    }
