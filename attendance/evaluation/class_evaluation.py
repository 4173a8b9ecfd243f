"""`attendance evaluate identification --classes`: how well whole classes would be recognised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from attendance.config import DecisionConfig
from attendance.core import metrics
from attendance.core.domain import IntArray
from attendance.core.metrics import Integers
from attendance.evaluation.embedding import EmbeddedPhotos
from attendance.evaluation.footage import Clip
from attendance.evaluation.looks import MAX_LOOKS
from attendance.evaluation.protocols import ProtocolError, person_of
from attendance.evaluation.simulated_classes import (
    FPIRS,
    ClassDraw,
    ClassSearches,
    Looks,
    NamingRule,
    Rate,
    draw_classes,
    fnir_samples,
    search_classes,
    share_samples,
    templates_that_suffice,
)

MAIN_FPIR = "0.01"
Film = Callable[[Sequence[str]], list[Clip]]
"""Plays photos as clips: `attendance.evaluation.footage.Filmer.film` of one folder."""


@dataclass(frozen=True)
class ClassPlan:
    """What is simulated.

    Attributes:
        n_classes: drawn.
        class_size: members of each.
        n_templates: photos enrolled of each member, fewer where the data has fewer.
        replicates: of the bootstrap over people.
    """

    n_classes: int = 200
    class_size: int = 30
    n_templates: int = 5
    replicates: int = 500


@dataclass(frozen=True)
class SearchFigures:
    """What one kind of search reaches; intervals are of a bootstrap over people.

    Attributes:
        rank1: share of the probes whose own name comes first.
        fnir_at_fpir: missed members at the threshold that holds each FPIR on these very classes.
        thresholds: the score that does.
        fpir: of the configured threshold.
        fnir: of the configured threshold.
        misidentified: members given another member's name at the configured threshold.
    """

    rank1: float
    fnir_at_fpir: dict[str, Rate]
    thresholds: dict[str, float]
    fpir: Rate
    fnir: Rate
    misidentified: Rate


@dataclass(frozen=True)
class ClassesReport:
    """Figures of `evaluate identification --classes`.

    The keys of `evaluate identification` are those of a look; a name always takes the configured
    lead over the second person.

    Attributes:
        n_gallery: members of a class.
        n_templates: photos enrolled of each, flips not counted.
        n_templates_asked: photos that were asked for.
        n_probes: searches for members, one a member and class, by one photo held out.
        n_impostors: searches for strangers: everybody who is not in the class.
        n_members: people the classes were drawn from.
        n_people: people in all.
        n_undetected: photos without a face.
        per_look: of one photo as it is.
        after_evidence: of a synthetic clip of that photo, its looks averaged; null if not played.
        per_worse_look: of the first look of that clip alone.
    """

    n_classes: int
    n_gallery: int
    n_templates: int
    n_templates_asked: int
    n_probes: int
    n_impostors: int
    n_members: int
    n_people: int
    n_undetected: int
    rank1: float
    fnir_at_fpir: dict[str, float]
    threshold: float
    margin: float
    configured_threshold: float
    per_look: SearchFigures
    per_worse_look: SearchFigures | None
    after_evidence: SearchFigures | None
    model_id: str
    variant: str


def photos_for_classes(paths: Sequence[str], class_size: int, n_templates: int) -> list[str]:
    """The photos that drawing and searching classes takes: others are strangers, by one photo.

    Args:
        paths: of all people, those of a person together.
        class_size: members of a class.
        n_templates: photos enrolled of each, if so many people have them.

    >>> photos_for_classes(["Ann/1", "Ann/2", "Bo/1", "Bo/2", "Cy/1", "Cy/2", "Cy/3"], 1, 2)
    ['Ann/1', 'Bo/1', 'Cy/1', 'Cy/2', 'Cy/3']
    """
    owners = _owners(paths)
    enough = templates_that_suffice(owners, class_size, n_templates)
    photos_each = np.bincount(owners)
    is_first = np.append(True, owners[1:] != owners[:-1]) if len(owners) else owners
    is_needed = (photos_each[owners] > enough) | is_first.astype(np.bool_)
    return [path for path, needed in zip(paths, is_needed, strict=True) if needed]


def _owners(paths: Sequence[str]) -> IntArray:
    names = [person_of(path) for path in paths]
    return np.asarray(np.unique(names, return_inverse=True)[1], np.intp)


def evaluate_classes(
    photos: EmbeddedPhotos,
    decision: DecisionConfig,
    plan: ClassPlan,
    identity: tuple[str, str],
    film: Film | None = None,
) -> ClassesReport:
    """Draw classes from the people of a collection and search them.

    Args:
        photos: of all people, embedded.
        decision: how scores are made and what makes a name.
        plan: what is simulated.
        identity: model_id and variant of the embedder.
        film: plays probes and strangers as clips; None plays none.

    Raises:
        PhotoError: a photo is no image.
        ProtocolError: there are too few people for one class.
    """
    owners = _owners(photos.paths)
    n_templates = templates_that_suffice(owners, plan.class_size, plan.n_templates)
    draws = draw_classes(owners, plan.n_classes, plan.class_size, n_templates)
    if not sum(len(drawn.strangers) for drawn in draws):
        raise ProtocolError(
            f"everybody of {owners.max() + 1} people is in the class: nobody is left as a stranger"
        )
    judge = _Judge(draws, owners, photos, decision, plan.replicates)
    per_look, clip = judge(None), None
    if film is not None:
        played = np.unique(np.concatenate([np.append(d.probes, d.strangers) for d in draws]))
        clip = _looks(film([photos.paths[i] for i in played.tolist()]), photos)
    first = None if clip is None else Looks(clip.embeddings[:, :1], clip.weights[:, :1])
    return ClassesReport(
        n_classes=plan.n_classes,
        n_gallery=plan.class_size,
        n_templates=n_templates,
        n_templates_asked=plan.n_templates,
        n_probes=per_look.fnir.n,
        n_impostors=per_look.fpir.n,
        n_members=int((np.bincount(owners) > n_templates).sum()),
        n_people=int(owners.max()) + 1,
        n_undetected=int((~photos.found).sum()),
        rank1=per_look.rank1,
        fnir_at_fpir={fpir: rate.value for fpir, rate in per_look.fnir_at_fpir.items()},
        threshold=per_look.thresholds[MAIN_FPIR],
        margin=decision.margin,
        configured_threshold=decision.threshold,
        per_look=per_look,
        per_worse_look=None if first is None else judge(first),
        after_evidence=None if clip is None else judge(clip),
        model_id=identity[0],
        variant=identity[1],
    )


def _looks(clips: Sequence[Clip], photos: EmbeddedPhotos) -> Looks:
    """The looks of each photo's clip, weighted as the live decision weighs them."""
    row_of = {path: row for row, path in enumerate(photos.paths)}
    embeddings = np.zeros((len(row_of), MAX_LOOKS, photos.embeddings.shape[1]), np.float32)
    weights = np.zeros(embeddings.shape[:2], np.float32)
    for clip in clips:
        row, n_looks = row_of[clip.photo], len(clip.qualities)
        embeddings[row, :n_looks] = clip.embeddings
        weights[row, :n_looks] = [quality.weight for quality in clip.qualities]
    return Looks(embeddings, weights)


class _Judge:
    """Searches the same classes with whatever looks."""

    def __init__(
        self,
        draws: Sequence[ClassDraw],
        owners: IntArray,
        photos: EmbeddedPhotos,
        decision: DecisionConfig,
        replicates: int,
    ) -> None:
        self._draws = draws
        self._owners = owners
        self._photos = photos
        self._threshold = decision.threshold
        self._rule = NamingRule(decision.margin, decision.baseline, decision.baseline_weight)
        self._replicates = replicates

    def __call__(self, looks: Looks | None) -> SearchFigures:
        found = search_classes(self._draws, self._owners, self._photos, self._rule, looks)
        n_people = int(self._owners.max()) + 1
        at = fnir_samples(found, list(FPIRS.values()), n_people, self._replicates)
        rates = at.rates(len(found.mated))
        thresholds = [metrics.threshold_at_far(found.nonmated, fpir) for fpir in FPIRS.values()]
        fpir, fnir, misidentified = self._configured(found, n_people)
        return SearchFigures(
            rank1=metrics.rate(found.n_rank1, len(found.mated)),
            fnir_at_fpir=dict(zip(FPIRS, rates, strict=True)),
            thresholds=dict(zip(FPIRS, thresholds, strict=True)),
            fpir=fpir,
            fnir=fnir,
            misidentified=misidentified,
        )

    def _configured(self, found: ClassSearches, n_people: int) -> tuple[Rate, Rate, Rate]:
        def share(is_hit: metrics.Bools, people: Integers) -> Rate:
            samples = share_samples(is_hit, people.astype(np.intp), n_people, self._replicates)
            return samples.rates(len(people))[0]

        return (
            share(found.nonmated >= self._threshold, found.nonmated_people),
            share(found.mated < self._threshold, found.mated_people),
            share(found.misnamed >= self._threshold, found.mated_people),
        )
