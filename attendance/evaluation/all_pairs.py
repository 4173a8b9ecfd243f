"""Every photo of some people against every other: millions of pairs from a few thousand photos.

Only what low FARs need is kept: all same-person similarities, the highest different-person ones
with the two people each belongs to, and a histogram of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attendance.core.domain import FloatArray, IntArray
from attendance.core.metrics import (
    Doubles,
    Integers,
    bootstrap_people,
    interval,
    weighted_val_at_far,
)

BLOCK = 512
BINS = np.linspace(-1, 1, 201)
TAIL_SHARE = 0.03
NOT_FOUND = -1.0


@dataclass(frozen=True)
class AllPairs:
    """The similarities of all pairs of photos of some people.

    Attributes:
        photos_each: (p,) photos of each person.
        genuine: (n_same,) similarities of same-person pairs.
        genuine_people: (n_same,) whose.
        tail: (t,) the highest different-person similarities, falling.
        tail_people: (t, 2) whose.
        n_cross: different-person pairs in all.
        impostor_histogram: (200,) counts in `BINS` of all of them.
        impostor_mean: of all of them; nan without any.
        impostor_sd: of all of them; nan without any.
    """

    photos_each: IntArray
    genuine: FloatArray
    genuine_people: IntArray
    tail: FloatArray
    tail_people: IntArray
    n_cross: int
    impostor_histogram: IntArray
    impostor_mean: float
    impostor_sd: float

    @property
    def n_same(self) -> int:
        """Same-person pairs in all."""
        return len(self.genuine)

    def threshold(self, far: float) -> float:
        """The lowest threshold that accepts at most this share of different-person pairs.

        Raises:
            ValueError: that share reaches below the part that was kept.
        """
        if not self.n_cross:
            return float("nan")
        allowed = int(far * self.n_cross + 1e-9)
        if allowed >= len(self.tail):
            raise ValueError(f"FAR {far} lies below the kept tail of {len(self.tail)} pairs")
        return float(np.nextafter(self.tail[allowed], np.float32(np.inf)))

    def val_by_person(self, threshold: float) -> float:
        """The mean over people of the accepted share of their pairs; nan without any."""
        pairs_each = np.bincount(self.genuine_people)
        accepted = np.bincount(
            self.genuine_people[self.genuine >= threshold], None, len(pairs_each)
        )
        has_pairs = pairs_each > 0
        if np.isnan(threshold) or not has_pairs.any():
            return float("nan")
        return float((accepted[has_pairs] / pairs_each[has_pairs]).mean())

    def val_at_far(self, fars: Sequence[float], drawn: Integers) -> Doubles:
        """VAL at each FAR where person i was drawn `drawn[i]` times. Returns: (k,)."""
        weights = drawn.astype(np.float64)
        photos = weights * self.photos_each
        own = weights**2 * self.photos_each**2
        cross = (photos.sum() ** 2 - own.sum()) / 2
        tail_weights = weights[self.tail_people[:, 0]] * weights[self.tail_people[:, 1]]
        genuine = (self.genuine, weights[self.genuine_people])
        return weighted_val_at_far(genuine, (self.tail, tail_weights), float(cross), fars)


def compare_all(embeddings: FloatArray, owners: IntArray, found: npt.NDArray[np.bool_]) -> AllPairs:
    """Compare all pairs of photos.

    Args:
        embeddings: (n, d) L2-normalised rows.
        owners: (n,) the person of each, from 0 without gaps.
        found: (n,) whether a face was found; pairs with a photo without one get -1.
    """
    photos_each = np.bincount(owners) if len(owners) else np.zeros(0, np.intp)
    n_same = int((photos_each * (photos_each - 1) // 2).sum())
    n_cross = len(owners) * (len(owners) - 1) // 2 - n_same
    collector = _Collector(int(np.ceil(TAIL_SHARE * n_cross)) + 1)
    for similarities, left, right in _blocks(embeddings, found):
        collector.add(similarities, owners[left], owners[right])
    return collector.result(photos_each.astype(np.intp), n_cross)


def val_gain(
    reference: AllPairs, other: AllPairs, fars: Sequence[float], replicates: int
) -> list[tuple[float, float, float]]:
    """What one has more of VAL than another, each at its own threshold for the FAR.

    Args:
        reference: all pairs of some photos.
        other: the same pairs, embedded otherwise.
        fars: k of them.
        replicates: samples of people, the same ones for both.

    Returns:
        k times the gain and its 95 % interval, as shares.
    """

    def gained(drawn: Integers) -> Doubles:
        return other.val_at_far(fars, drawn) - reference.val_at_far(fars, drawn)

    n_people = len(reference.photos_each)
    edges = interval(bootstrap_people(gained, n_people, replicates))
    rows = np.stack([gained(np.ones(n_people, np.intp)), *edges], axis=1)
    return [(float(value), float(low), float(high)) for value, low, high in rows]


def _blocks(
    embeddings: FloatArray, found: npt.NDArray[np.bool_]
) -> Iterator[tuple[FloatArray, IntArray, IntArray]]:
    """Each pair once: similarities and the two photos, some hundred rows at a time."""
    n = len(embeddings)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        block = np.clip(embeddings[start:stop] @ embeddings[start:].T, -1, 1)
        seen = found[start:stop, None] & found[None, start:]
        block = np.where(seen, block, np.float32(NOT_FOUND))
        rows, columns = np.triu_indices(stop - start, k=1, m=n - start)
        yield block[rows, columns], rows + start, columns + start


class _Collector:
    """Gathers blocks of similarities into what is kept of them."""

    def __init__(self, tail_size: int) -> None:
        self._tail_size = tail_size
        self._genuine: list[FloatArray] = [np.zeros(0, np.float32)]
        self._genuine_people: list[IntArray] = [np.zeros(0, np.intp)]
        self._tail = np.zeros(0, np.float32)
        self._tail_people = np.zeros((0, 2), np.intp)
        self._histogram = np.zeros(len(BINS) - 1, np.intp)
        self._sum = self._squares = 0.0

    def add(self, similarities: FloatArray, left: IntArray, right: IntArray) -> None:
        is_same = left == right
        self._genuine.append(similarities[is_same])
        self._genuine_people.append(left[is_same])
        cross = similarities[~is_same]
        self._histogram += np.histogram(cross, BINS)[0]
        self._sum += float(cross.sum(dtype=np.float64))
        self._squares += float((cross.astype(np.float64) ** 2).sum())
        self._add_tail(cross, np.stack([left[~is_same], right[~is_same]], axis=1))

    def _add_tail(self, similarities: FloatArray, people: IntArray) -> None:
        if len(self._tail) == self._tail_size:
            high = similarities > self._tail[-1]
            similarities, people = similarities[high], people[high]
        everything = np.concatenate([self._tail, similarities])
        order = np.argsort(-everything, kind="stable")[: self._tail_size]
        self._tail = everything[order]
        self._tail_people = np.concatenate([self._tail_people, people])[order]

    def result(self, photos_each: IntArray, n_cross: int) -> AllPairs:
        mean = self._sum / n_cross if n_cross else float("nan")
        spread = self._squares / n_cross - mean**2 if n_cross else float("nan")
        return AllPairs(
            photos_each=photos_each,
            genuine=np.concatenate(self._genuine),
            genuine_people=np.concatenate(self._genuine_people),
            tail=self._tail,
            tail_people=self._tail_people,
            n_cross=n_cross,
            impostor_histogram=self._histogram,
            impostor_mean=mean,
            impostor_sd=float(np.sqrt(max(spread, 0.0))) if n_cross else float("nan"),
        )
