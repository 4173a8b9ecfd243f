"""Classes drawn from the people of a photo collection: who is named, who should not have been.

A collection rarely holds a class of thirty with strangers beside it, but many classes can be drawn
from its people. One photo of each member is always held out as the probe; everybody who is not in
the class is a stranger to it. Draws share people, so intervals come from a bootstrap over people,
never from the number of searches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from attendance.core import metrics
from attendance.core.domain import FloatArray, Gallery, IntArray, Match
from attendance.core.matching import best_match, similarities
from attendance.core.metrics import Bools, Doubles, Integers
from attendance.evaluation.embedding import EmbeddedPhotos
from attendance.evaluation.protocols import ProtocolError

FPIRS = {"0.003": 0.003, "0.01": 0.01, "0.03": 0.03}
NO_FACE = Match(None, -1.0, 0.0, -1.0)
TAIL_SHARE = 0.2
Similarities = Callable[[FloatArray, Gallery], FloatArray]
"""Probes (n, d) against a gallery of s students: (n, s), as `core.matching.similarities`."""


@dataclass(frozen=True)
class ClassDraw:
    """One class as rows of a photo collection.

    Attributes:
        members: (s,) people.
        templates: (s, t) photos of each member.
        probes: (s,) one photo of each member, none of the templates.
        strangers: (k,) the first photo of everybody else.
    """

    members: IntArray
    templates: IntArray
    probes: IntArray
    strangers: IntArray


@dataclass(frozen=True)
class NamingRule:
    """How a search becomes a name.

    Attributes:
        margin: least lead over the second person; less of it gives no name at any threshold.
        baseline: see `core.matching.camera_score`.
        baseline_weight: likewise.
        similarities: how templates are compared; the live system's unless something is tried.
    """

    margin: float
    baseline: float
    baseline_weight: float
    similarities: Similarities = similarities


@dataclass(frozen=True)
class Looks:
    """What is searched with: one or more looks at each photo's face.

    Attributes:
        embeddings: (n, looks, d) L2-normalised, zeros where a photo has fewer looks.
        weights: (n, looks) what each counts for, 0 where there is none.
    """

    embeddings: FloatArray
    weights: FloatArray

    @classmethod
    def single(cls, embeddings: FloatArray) -> Looks:
        """Each photo as it is, one look: (n, d)."""
        return cls(embeddings[:, None], np.ones((len(embeddings), 1), np.float32))

    def compared(self, rows: IntArray, gallery: Gallery, rule: NamingRule) -> FloatArray:
        """Similarities of some photos, averaged over their looks. Returns: (k, s)."""
        looks = self.embeddings[rows]
        each = rule.similarities(looks.reshape(-1, looks.shape[2]), gallery)
        weights = self.weights[rows]
        total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        by_photo = each.reshape(*looks.shape[:2], len(gallery))
        return np.asarray(np.einsum("kls,kl->ks", by_photo, weights / total), np.float32)


@dataclass(frozen=True)
class ClassSearches:
    """What searching all classes gave; -inf is a search that can give no right or no name.

    Attributes:
        mated: (n,) score of the own name where it came first with a sufficient margin.
        mated_people: (n,) whose photo it was.
        misnamed: (n,) score of another member's name where that came first, likewise.
        nonmated: (m,) score of the name a stranger would get, likewise.
        nonmated_people: (m,) which stranger.
        n_rank1: probes whose own name came first, whatever score and margin.
    """

    mated: Doubles
    mated_people: IntArray
    misnamed: Doubles
    nonmated: Doubles
    nonmated_people: IntArray
    n_rank1: int


@dataclass(frozen=True)
class Rate:
    """A share with its n and the 95 % interval of a bootstrap over people."""

    value: float
    low: float
    high: float
    n: int


def draw_classes(
    owners: IntArray, n_classes: int, class_size: int, n_templates: int, seed: int = 0
) -> list[ClassDraw]:
    """Draw classes, each without repeating a person.

    Args:
        owners: (n,) the person of each photo, from 0 without gaps.
        n_classes: how many.
        class_size: members of each.
        n_templates: photos enrolled of each member; one more is its probe.
        seed: of the draw.

    Raises:
        ProtocolError: there are fewer people with that many photos than a class has members.
    """
    photos_each = np.bincount(owners)
    eligible = np.flatnonzero(photos_each > n_templates)
    if len(eligible) < class_size:
        raise ProtocolError(
            f"a class of {class_size} with {n_templates} templates and a probe each takes as many "
            f"people with {n_templates + 1} photos, there are {len(eligible)}"
        )
    rows = np.split(np.argsort(owners, kind="stable"), np.cumsum(photos_each)[:-1])
    draw = np.random.default_rng(seed)
    return [_draw_one(draw, rows, eligible, class_size, n_templates) for _ in range(n_classes)]


def _draw_one(
    draw: np.random.Generator,
    rows: Sequence[IntArray],
    eligible: IntArray,
    class_size: int,
    n_templates: int,
) -> ClassDraw:
    members = draw.choice(eligible, class_size, replace=False)
    photos = np.stack([draw.choice(rows[i], n_templates + 1, replace=False) for i in members])
    others = np.setdiff1d(np.arange(len(rows)), members)
    strangers = np.array([rows[i][0] for i in others], np.intp)
    return ClassDraw(members, photos[:, 1:], photos[:, 0], strangers)


def templates_that_suffice(owners: IntArray, class_size: int, asked: int) -> int:
    """As many templates as asked for, fewer where too few people have the photos, at least one.

    >>> templates_that_suffice(np.array([0, 0, 0, 1, 1]), 2, 5)
    1
    """
    photos_each = np.bincount(owners)
    fits = [t for t in range(asked, 1, -1) if (photos_each > t).sum() >= class_size]
    return fits[0] if fits else 1


def search_classes(
    draws: Sequence[ClassDraw],
    owners: IntArray,
    photos: EmbeddedPhotos,
    rule: NamingRule,
    looks: Looks | None = None,
) -> ClassSearches:
    """Search every class for its members and for its strangers, one photo or clip a search.

    A photo without a face is a miss as a probe, names nobody as a stranger's, and is no template.

    Args:
        draws: the classes.
        owners: (n,) the person of each photo.
        photos: templates, with their flips.
        rule: how a search becomes a name.
        looks: what is searched with, each photo as it is by default.
    """
    searched = Looks.single(photos.embeddings) if looks is None else looks
    mated, misnamed, nonmated = [], [], []
    n_rank1 = 0
    for drawn in draws:
        gallery = class_gallery(drawn, photos)
        own = _matches(drawn.probes, photos.found, searched, gallery, rule)
        is_own = np.array([m.student_id == i for i, m in enumerate(own)], np.bool_)
        n_rank1 += int(is_own.sum())
        scores = _named_scores(own, rule)
        mated.append(np.where(is_own, scores, -np.inf))
        misnamed.append(np.where(is_own, -np.inf, scores))
        strangers = _matches(drawn.strangers, photos.found, searched, gallery, rule)
        nonmated.append(_named_scores(strangers, rule))
    own_rows = np.concatenate([drawn.probes for drawn in draws])
    others = np.concatenate([drawn.strangers for drawn in draws])
    return ClassSearches(
        np.concatenate(mated), owners[own_rows], np.concatenate(misnamed),
        np.concatenate(nonmated), owners[others], n_rank1,
    )  # fmt: skip


def class_gallery(drawn: ClassDraw, photos: EmbeddedPhotos) -> Gallery:
    """The templates of a class, flips included, its members numbered in their order."""
    rows = drawn.templates.ravel()
    owner = np.repeat(np.arange(len(drawn.members)), drawn.templates.shape[1])
    rows, owner = rows[photos.found[rows]], owner[photos.found[rows]]
    with_templates, places = np.unique(owner, return_inverse=True)
    return Gallery(
        "simulated",
        tuple(with_templates.tolist()),
        np.concatenate([photos.embeddings[rows], photos.mirrored[rows]]),
        np.concatenate([places, places]).astype(np.intp),
    )


def _matches(
    rows: IntArray, found: Bools, looks: Looks, gallery: Gallery, rule: NamingRule
) -> list[Match]:
    compared = looks.compared(rows, gallery, rule)
    return [
        best_match(one, gallery, rule.baseline, rule.baseline_weight) if is_seen else NO_FACE
        for one, is_seen in zip(compared, found[rows], strict=True)
    ]


def _named_scores(matches: Sequence[Match], rule: NamingRule) -> Doubles:
    is_clear = [m.student_id is not None and m.margin >= rule.margin for m in matches]
    return np.where(is_clear, np.array([m.score for m in matches], np.float64), -np.inf)


@dataclass(frozen=True)
class PeopleSamples:
    """A figure, and what it is for people drawn with replacement.

    Attributes:
        value: (k,).
        samples: (replicates, k); the same seed draws the same people for every figure, so that
            two figures of the same people can be subtracted sample by sample.
    """

    value: Doubles
    samples: Doubles

    def rates(self, n: int) -> list[Rate]:
        """Each value with its interval."""
        low, high = metrics.interval(self.samples)
        figures = zip(self.value, low, high, strict=True)
        return [Rate(float(v), float(lo), float(hi), n) for v, lo, hi in figures]


def fnir_samples(
    found: ClassSearches, fpirs: Sequence[float], n_people: int, replicates: int
) -> PeopleSamples:
    """FNIR at each FPIR over all classes pooled, at one threshold for all. Values (k,)."""
    order = np.argsort(-found.nonmated, kind="stable")
    tail = order[: int(np.ceil(TAIL_SHARE * len(order)))]
    scores, people = found.nonmated[tail], found.nonmated_people[tail]

    def statistic(drawn: Integers) -> Doubles:
        weights = drawn.astype(np.float64)
        genuine = (found.mated, weights[found.mated_people])
        total = float(weights[found.nonmated_people].sum())
        return 1 - metrics.weighted_val_at_far(genuine, (scores, weights[people]), total, fpirs)

    value = statistic(np.ones(n_people, np.intp))
    return PeopleSamples(value, metrics.bootstrap_people(statistic, n_people, replicates))


def share_samples(is_hit: Bools, people: IntArray, n_people: int, replicates: int) -> PeopleSamples:
    """The share of searches of which something is true. Values (1,)."""
    hits = np.bincount(people, is_hit, n_people)
    each = np.bincount(people, None, n_people)

    def statistic(drawn: Integers) -> Doubles:
        return np.array([metrics.rate(float(drawn @ hits), float(drawn @ each))])

    value = statistic(np.ones(n_people, np.intp))
    return PeopleSamples(value, metrics.bootstrap_people(statistic, n_people, replicates))
