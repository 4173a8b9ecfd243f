"""One against one: are these two photos of the same person?

The pairs of a pairs file give accuracy by LFW's protocols; all pairs of photos of the same
people, hundreds of times as many, give the rates at low FAR that pairs files cannot resolve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from attendance.core import metrics
from attendance.core.domain import FloatArray, IntArray
from attendance.core.metrics import Doubles, Integers
from attendance.evaluation.all_pairs import NOT_FOUND, AllPairs, compare_all
from attendance.evaluation.embedding import EmbeddedPhotos
from attendance.evaluation.protocols import Pairs, ProtocolError, person_of, read_people
from attendance.evaluation.subgroups import GroupFigures, by_group

INTERVALS = ("accuracy", "eer", "precision", "recall", "f1")
FARS = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4}


class EmbedsPhotos(Protocol):
    """A `PhotoEmbedder`, or what it gave before."""

    @property
    def model_id(self) -> str:
        """Names the embedding space."""
        ...

    @property
    def variant(self) -> str:
        """Engine and precision."""
        ...

    def embed(self, folder: Path, paths: Sequence[str]) -> EmbeddedPhotos:
        """The main faces of these photos."""
        ...


@dataclass(frozen=True)
class FarFigure:
    """VAL at one FAR over all pairs.

    Attributes:
        val: accepted share of the same-person pairs.
        low: end of the 95 % interval, from a bootstrap over people.
        high: end of the 95 % interval.
        threshold: the similarity that holds the FAR on these pairs.
        val_by_person: the mean over people of their own pairs' VAL at that threshold. In `val` a
            person with hundreds of photos outweighs all others.
    """

    val: float
    low: float
    high: float
    threshold: float
    val_by_person: float


@dataclass(frozen=True)
class AllPairsReport:
    """Every photo of the people in the pairs file against every other.

    Attributes:
        n_undetected: photos without a detected face; their pairs have similarity -1.
        n_same: same-person pairs.
        n_cross: different-person pairs.
    """

    n_people: int
    n_photos: int
    n_undetected: int
    n_same: int
    n_cross: int
    val_at_far: dict[str, FarFigure]
    genuine_mean: float
    genuine_sd: float
    impostor_mean: float
    impostor_sd: float


@dataclass(frozen=True)
class VerificationCurves:
    """What a plot shows beside the figures."""

    genuine: FloatArray
    impostor: FloatArray
    everything: AllPairs


@dataclass(frozen=True)
class VerificationReport:
    """Figures of `evaluate verification`.

    Attributes:
        n_pairs: comparisons in the pairs file.
        n_same: of them, of one person.
        n_cross: of them, of two people.
        n_undetected: photos of them without a detected face; their pairs have similarity -1.
        accuracy: share of pairs decided rightly.
        accuracy_sd: over the folds; without folds, over a bootstrap of the people.
        eer: of the pairs.
        val_at_far: of the pairs; with fewer than 1 / FAR different-person pairs none of them is
            accepted. `all_pairs` resolves low FARs.
        threshold: applied to the pairs; the mean over the folds where there are folds.
        precision: at the threshold, as are recall and f1.
        intervals: 95 %, low and high, of accuracy, eer, precision, recall and f1, from a bootstrap
            over people; the threshold stays.
        groups: each group at the threshold that holds FAR 1e-3 over all pairs; none where the
            folder names none.
        protocol: `ten-fold`, `threshold-from FILE`, or `in-sample`, where the threshold was
            chosen on the very pairs it is judged on and flatters.
    """

    n_pairs: int
    n_same: int
    n_cross: int
    n_undetected: int
    accuracy: float
    accuracy_sd: float
    eer: float
    val_at_far: dict[str, float]
    threshold: float
    precision: float
    recall: float
    f1: float
    intervals: dict[str, tuple[float, float]]
    model_id: str
    variant: str
    protocol: str
    all_pairs: AllPairsReport
    groups: tuple[GroupFigures, ...]
    curves: VerificationCurves = field(repr=False, metadata={"json": False})


@dataclass(frozen=True)
class _Chosen:
    """Thresholds, one a pair, and where they come from."""

    per_pair: Doubles
    fold_accuracies: Doubles
    protocol: str


def evaluate_verification(
    embedder: EmbedsPhotos,
    images: Path,
    pairs: Pairs,
    threshold_from: tuple[str, Pairs] | None = None,
    replicates: int = 1000,
) -> VerificationReport:
    """Judge a model on a pairs file and on all pairs of its people.

    Args:
        embedder: the model, with the detector that crops for it.
        images: the folder of one sub-folder a person.
        pairs: judged.
        threshold_from: the name of another pairs file, and its pairs, to choose the threshold on.
        replicates: of the bootstrap over people.

    Raises:
        PhotoError: a photo is no image.
        ProtocolError: there is nothing to compare.
    """
    if not len(pairs):
        raise ProtocolError("there are no pairs to compare")
    people = read_people(images)
    photos = [photo for person in pairs.people for photo in people[person]]
    embedded = embedder.embed(images, photos)
    similarities = pair_similarities(pairs, embedded)
    chosen = _choose(embedder, images, (pairs, similarities), threshold_from)
    everything = compare_all(embedded.embeddings, _owners(embedded), embedded.found)
    figures = _pair_figures(pairs, similarities, chosen, replicates)
    strict = everything.threshold(FARS["1e-3"])
    in_pairs = np.isin(embedded.paths, pairs.photos)
    return VerificationReport(
        n_undetected=int((~embedded.found[in_pairs]).sum()),
        model_id=embedder.model_id,
        variant=embedder.variant,
        protocol=chosen.protocol,
        all_pairs=_all_pairs_report(everything, embedded, replicates),
        groups=by_group(embedded, strict, replicates),
        curves=VerificationCurves(
            similarities[pairs.is_same], similarities[~pairs.is_same], everything
        ),
        **figures,
    )


def pair_similarities(pairs: Pairs, embedded: EmbeddedPhotos) -> FloatArray:
    """Cosine of each pair, -1 where a photo shows no face. Returns: (n,) in [-1, 1]."""
    row_of = {path: row for row, path in enumerate(embedded.paths)}
    rows = np.array([row_of[photo] for photo in pairs.photos], np.intp)
    left, right = rows[pairs.left], rows[pairs.right]
    cosines = np.einsum("nd,nd->n", embedded.embeddings[left], embedded.embeddings[right])
    is_seen = embedded.found[left] & embedded.found[right]
    return np.where(is_seen, np.clip(cosines, -1, 1), np.float32(NOT_FOUND))


def _owners(embedded: EmbeddedPhotos) -> IntArray:
    """The person of each photo, from 0 without gaps. Returns: (n,)."""
    names = [person_of(path) for path in embedded.paths]
    return np.asarray(np.unique(names, return_inverse=True)[1], np.intp)


def _choose(
    embedder: EmbedsPhotos,
    images: Path,
    judged: tuple[Pairs, FloatArray],
    threshold_from: tuple[str, Pairs] | None,
) -> _Chosen:
    pairs, similarities = judged
    if threshold_from is not None:
        name, others = threshold_from
        known = pair_similarities(others, embedder.embed(images, others.photos))
        threshold = metrics.best_threshold(known, others.is_same)
        return _Chosen(np.full(len(pairs), threshold), np.zeros(0), f"threshold-from {name}")
    if pairs.has_folds:
        folds = metrics.cross_validated(similarities, pairs.is_same, pairs.folds)
        protocol = "ten-fold" if len(folds.thresholds) == 10 else f"{len(folds.thresholds)}-fold"
        return _Chosen(folds.thresholds[pairs.folds], folds.accuracies, protocol)
    threshold = metrics.best_threshold(similarities, pairs.is_same)
    return _Chosen(np.full(len(pairs), threshold), np.zeros(0), "in-sample")


def _pair_figures(
    pairs: Pairs, similarities: FloatArray, chosen: _Chosen, replicates: int
) -> dict[str, Any]:
    counts = metrics.counts_at(similarities, pairs.is_same, chosen.per_pair)
    genuine, impostor = similarities[pairs.is_same], similarities[~pairs.is_same]
    folds = chosen.fold_accuracies
    samples = _pair_samples(pairs, similarities, similarities >= chosen.per_pair, replicates)
    spread = folds.std(ddof=1) if len(folds) else np.nanstd(samples[:, 0])
    edges = zip(*(each.tolist() for each in metrics.interval(samples)), strict=True)
    return {
        "n_pairs": len(pairs),
        "n_same": len(genuine),
        "n_cross": len(impostor),
        "accuracy": float(folds.mean()) if len(folds) else counts.accuracy,
        "accuracy_sd": float(spread),
        "eer": metrics.eer(genuine, impostor),
        "val_at_far": {k: metrics.val_at_far(genuine, impostor, far) for k, far in FARS.items()},
        "threshold": float(chosen.per_pair.mean()),
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "intervals": dict(zip(INTERVALS, edges, strict=True)),
    }


def _pair_samples(
    pairs: Pairs, similarities: FloatArray, is_accepted: metrics.Bools, replicates: int
) -> Doubles:
    """The figures of `INTERVALS` over samples of people. Returns: (replicates, 5)."""
    names = [person_of(photo) for photo in pairs.photos]
    person = np.unique(names, return_inverse=True)[1]
    left, right, is_same = person[pairs.left], person[pairs.right], pairs.is_same

    def figures(drawn: Integers) -> Doubles:
        weights = np.where(is_same, drawn[left], drawn[left] * drawn[right])
        counts = metrics.counts_at(
            np.repeat(is_accepted.astype(np.float64), weights), np.repeat(is_same, weights), 0.5
        )
        genuine = np.repeat(similarities[is_same], weights[is_same])
        impostor = np.repeat(similarities[~is_same], weights[~is_same])
        eer = metrics.eer(genuine, impostor)
        return np.array([counts.accuracy, eer, counts.precision, counts.recall, counts.f1])

    return metrics.bootstrap_people(figures, int(person.max()) + 1, replicates)


def _all_pairs_report(
    everything: AllPairs, embedded: EmbeddedPhotos, replicates: int
) -> AllPairsReport:
    n_people, fars = len(everything.photos_each), list(FARS.values())
    as_drawn = everything.val_at_far(fars, np.ones(n_people, np.intp))
    samples = metrics.bootstrap_people(
        lambda drawn: everything.val_at_far(fars, drawn), n_people, replicates
    )
    low, high = metrics.interval(samples)
    levels = [everything.threshold(far) for far in fars]
    by_person = [everything.val_by_person(level) for level in levels]
    figures = zip(as_drawn, low, high, levels, by_person, strict=True)
    rows = [FarFigure(*(float(value) for value in figure)) for figure in figures]
    has_same = everything.n_same > 0
    return AllPairsReport(
        n_people=n_people,
        n_photos=len(embedded.paths),
        n_undetected=int((~embedded.found).sum()),
        n_same=everything.n_same,
        n_cross=everything.n_cross,
        val_at_far=dict(zip(FARS, rows, strict=True)),
        genuine_mean=float(everything.genuine.mean()) if has_same else float("nan"),
        genuine_sd=float(everything.genuine.std()) if has_same else float("nan"),
        impostor_mean=everything.impostor_mean,
        impostor_sd=everything.impostor_sd,
    )
