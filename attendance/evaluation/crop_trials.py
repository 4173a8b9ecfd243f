"""`attendance evaluate crops`: every trial of the sweep judged on some people, some on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attendance.config import DecisionConfig
from attendance.core import metrics
from attendance.core.domain import FloatArray, IntArray
from attendance.evaluation.all_pairs import compare_all
from attendance.evaluation.crop_sweep import (
    TEMPLATE_RULES,
    TRIALS,
    Crop,
    Trial,
    embed_crops,
    photos_of,
)
from attendance.evaluation.embedding import EmbeddedPhotos
from attendance.evaluation.faces import CropEmbedder, MainFaces
from attendance.evaluation.protocols import ProtocolError, person_of
from attendance.evaluation.reports import shown
from attendance.evaluation.simulated_classes import (
    ClassDraw,
    Looks,
    NamingRule,
    PeopleSamples,
    Rate,
    draw_classes,
    fnir_samples,
    search_classes,
    templates_that_suffice,
)
from attendance.vision.embedder import unit_rows

FAR = 1e-3
FPIR = 0.01
TEMPLATES = 5


@dataclass(frozen=True)
class TrialFigures:
    """What one trial reaches; differences are to today's choice, on the same people.

    Attributes:
        val: VAL at FAR 1e-3 over all pairs of photos.
        val_gain: by how much that is more than today's.
        fnir: FNIR at FPIR 1 % over the simulated classes, one photo a search.
        fnir_saved: by how much that is less than today's.
    """

    name: str
    val: Rate
    val_gain: Rate
    fnir: Rate
    fnir_saved: Rate

    @property
    def is_better(self) -> bool:
        """Whether the members it saves are more than chance, and its VAL is not worse for it."""
        return self.fnir_saved.low > 0 and self.val_gain.high > 0


@dataclass(frozen=True)
class SweepFigures:
    """All trials on one set of people.

    Attributes:
        n_same: same-person pairs.
        n_cross: different-person pairs.
        n_classes: drawn.
        class_size: members of each.
        n_templates: photos enrolled of each member, flips not counted.
        n_searches: of members, and as many of strangers as are left for each class.
    """

    n_people: int
    n_photos: int
    n_same: int
    n_cross: int
    n_classes: int
    class_size: int
    n_templates: int
    n_searches: int
    n_stranger_searches: int
    trials: tuple[TrialFigures, ...]


@dataclass(frozen=True)
class CropsReport:
    """Figures of `evaluate crops`.

    Attributes:
        chosen: the trial that saves most members on the people chosen on, today's if none saves
            more than chance.
        tried: all trials on the people chosen on.
        confirmed: today's and the best one on the other people; null where none were named.
    """

    chosen: str
    best: str
    tried: SweepFigures
    confirmed: SweepFigures | None
    model_id: str
    variant: str


@dataclass(frozen=True)
class _Judged:
    val: PeopleSamples
    fnir: PeopleSamples
    n_same: int
    n_cross: int
    n_searches: int
    n_stranger_searches: int


def evaluate_crops(
    embedder: CropEmbedder,
    faces: MainFaces,
    n_chosen_on: int,
    decision: DecisionConfig,
    classes: tuple[int, int],
    cache: Path | None = None,
    key: str = "",
) -> CropsReport:
    """Try all crops on the first photos, and today's and the best one on the others.

    Args:
        embedder: of crops.
        faces: of everybody, the people to choose on first.
        n_chosen_on: how many of the photos are theirs; the rest confirms.
        decision: how a score is made and how clear a name must be.
        classes: how many are drawn, and of how many members.
        cache: keeps embeddings from one run to the next; None keeps nothing.
        key: whatever else the embeddings depend on, for the cache.

    Raises:
        PhotoError: a photo is no image.
        ProtocolError: there are too few people for one class.
    """
    rows = np.arange(len(faces.paths))
    first, others = faces.take(rows[:n_chosen_on]), faces.take(rows[n_chosen_on:])
    crops = list(dict.fromkeys(crop for trial in TRIALS for crop in trial.crops))
    tried = judge_trials(TRIALS, embed_crops(embedder, first, crops, cache, key), decision, classes)
    chosen, best = best_of(tried)
    confirmed = None
    if others.paths:
        pair = [TRIALS[0], next(trial for trial in TRIALS if trial.name == best)]
        crops = list(dict.fromkeys(crop for trial in pair for crop in trial.crops))
        embedded = embed_crops(embedder, others, crops, cache, key)
        confirmed = judge_trials(pair, embedded, decision, classes)
    return CropsReport(chosen, best, tried, confirmed, embedder.model_id, embedder.variant)


def judge_trials(
    trials: Sequence[Trial],
    embedded: Mapping[Crop, EmbeddedPhotos],
    decision: DecisionConfig,
    classes: tuple[int, int] = (100, 30),
    replicates: int = 500,
) -> SweepFigures:
    """Judge trials on the people of some photos.

    Args:
        trials: today's first.
        embedded: the photos of these people, for every crop a trial takes.
        decision: how a score is made and how clear a name must be.
        classes: how many are drawn, and of how many members.
        replicates: of the bootstrap over people.

    Raises:
        ProtocolError: there are too few people for one class.
    """
    first = next(iter(embedded.values()))
    if not first.paths:
        raise ProtocolError("there are no photos to try crops on")
    names = [person_of(path) for path in first.paths]
    owners = np.asarray(np.unique(names, return_inverse=True)[1], np.intp)
    n_templates = templates_that_suffice(owners, classes[1], TEMPLATES)
    draws = draw_classes(owners, *classes, n_templates)
    judged = [
        _judge(trial, photos_of(trial, embedded), owners, draws, decision, replicates)
        for trial in shown(trials, "Judging trials")
    ]
    today = judged[0]
    return SweepFigures(
        n_people=int(owners.max()) + 1,
        n_photos=len(owners),
        n_same=today.n_same,
        n_cross=today.n_cross,
        n_classes=classes[0],
        class_size=classes[1],
        n_templates=n_templates,
        n_searches=today.n_searches,
        n_stranger_searches=today.n_stranger_searches,
        trials=tuple(_figures(t, j, today) for t, j in zip(trials, judged, strict=True)),
    )


def best_of(tried: SweepFigures) -> tuple[str, str]:
    """The trial to take, and the one that saves most members whether or not by chance."""
    best = max(tried.trials[1:], key=lambda trial: trial.fnir_saved.value)
    chosen = best if best.is_better else tried.trials[0]
    return chosen.name, best.name


def _judge(
    trial: Trial,
    photos: EmbeddedPhotos,
    owners: IntArray,
    draws: Sequence[ClassDraw],
    decision: DecisionConfig,
    replicates: int,
) -> _Judged:
    probes = _probes(trial, photos)
    everything = compare_all(probes, owners, photos.found)
    n_people = int(owners.max()) + 1

    def val(drawn: metrics.Integers) -> metrics.Doubles:
        return everything.val_at_far([FAR], drawn)

    rule = NamingRule(
        decision.margin,
        decision.baseline,
        decision.baseline_weight,
        TEMPLATE_RULES[trial.templates],
    )
    found = search_classes(draws, owners, photos, rule, Looks.single(probes))
    return _Judged(
        PeopleSamples(
            val(np.ones(n_people, np.intp)), metrics.bootstrap_people(val, n_people, replicates)
        ),
        fnir_samples(found, [FPIR], n_people, replicates),
        everything.n_same,
        everything.n_cross,
        len(found.mated),
        len(found.nonmated),
    )


def _probes(trial: Trial, photos: EmbeddedPhotos) -> FloatArray:
    if not trial.is_probe_averaged:
        return photos.embeddings
    return unit_rows(photos.embeddings + photos.mirrored)


def _figures(trial: Trial, own: _Judged, today: _Judged) -> TrialFigures:
    def less(a: PeopleSamples, b: PeopleSamples) -> PeopleSamples:
        return PeopleSamples(a.value - b.value, a.samples - b.samples)

    return TrialFigures(
        trial.name,
        own.val.rates(own.n_same)[0],
        less(own.val, today.val).rates(own.n_same)[0],
        own.fnir.rates(own.n_searches)[0],
        less(today.fnir, own.fnir).rates(own.n_searches)[0],
    )
