"""One against many, open set: who of the enrolled is this, if any of them?

Scores are the live decision's own (`attendance.core.matching.best_match`) on a single photo; a
class decides over several looks and does better. ISO/IEC 19795-1 names the rates: FPIR is the
share of strangers who are given a name, FNIR the share of enrolled people who are not given
theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from attendance.config import DecisionConfig
from attendance.core import metrics
from attendance.core.domain import FloatArray, Gallery, Match
from attendance.core.matching import best_match, similarities
from attendance.core.metrics import Doubles
from attendance.evaluation.embedding import EmbeddedPhotos, PhotoEmbedder
from attendance.evaluation.protocols import ProtocolError, person_of, read_people

FPIRS = {"0.003": 0.003, "0.01": 0.01, "0.03": 0.03}
MAIN_FPIR = "0.01"
NO_FACE = Match(None, -1.0, 0.0, -1.0)


@dataclass(frozen=True)
class OperatingPoint:
    """The configured decision applied to single photos.

    Attributes:
        fpir: share of the strangers given a name.
        fnir: share of the enrolled probes not given their own name.
        misidentified: share of the enrolled probes given another person's name.
    """

    threshold: float
    margin: float
    fpir: float
    fnir: float
    misidentified: float


@dataclass(frozen=True)
class IdentificationReport:
    """Figures of `evaluate identification`.

    Attributes:
        n_gallery: people enrolled.
        n_templates: their templates, flips included.
        n_probes: photos of enrolled people.
        n_impostors: photos of people who are not enrolled.
        n_undetected: photos among all of these without a detected face; they count as misses.
        rank1: share of the probes whose own name comes first, at whatever score.
        fnir_at_fpir: share of the probes missed at the threshold that holds each FPIR; null
            without impostors. With fewer than 1 / FPIR impostors none is given a name.
        threshold: the score that holds FPIR 0.01.
        thresholds: the score that holds each FPIR.
        configured: what config.yaml's threshold and margin do.
    """

    n_gallery: int
    n_templates: int
    n_probes: int
    n_impostors: int
    n_undetected: int
    rank1: float
    fnir_at_fpir: dict[str, float]
    threshold: float
    thresholds: dict[str, float]
    configured: OperatingPoint
    model_id: str
    variant: str
    scores: SearchScores = field(repr=False, metadata={"json": False})


@dataclass(frozen=True)
class SearchScores:
    """Scores of searches, for plots.

    Attributes:
        mated: (n,) of enrolled probes: the own name's where it came first, else -inf.
        nonmated: (m,) of strangers: the highest.
    """

    mated: Doubles
    nonmated: Doubles


@dataclass(frozen=True)
class _Enrolled:
    """A gallery with the people it stands for; those without a template have no row in it."""

    gallery: Gallery
    names: tuple[str, ...]
    n_undetected: int


def evaluate_identification(
    embedder: PhotoEmbedder,
    gallery: Path,
    probes: Path,
    impostors: Path | None,
    decision: DecisionConfig,
) -> IdentificationReport:
    """Search for every probe and every stranger among the people of a gallery.

    Args:
        embedder: the model, with the detector that crops for it.
        gallery: one sub-folder a person; all photos and their flips become templates.
        probes: likewise; a person who is not in the gallery is a stranger.
        impostors: likewise; everybody in it is a stranger.
        decision: how scores are made, and the operating point to report on.

    Raises:
        PhotoError: a photo is no image.
        ProtocolError: a folder holds nothing, or an impostor is enrolled.
    """
    enrolled = _enrol(embedder, gallery)
    searched = {probes: read_people(probes)}
    if impostors is not None:
        searched[impostors] = read_people(impostors)
        _refuse_enrolled(enrolled, searched[impostors], impostors)
    owners, matches = _search(embedder, enrolled, searched, decision)
    is_mated = np.array([owner in enrolled.names for owner in owners], np.bool_)
    is_right = np.array([_is_right(m, o, enrolled) for m, o in zip(matches, owners, strict=True)])
    scores = np.array([match.score for match in matches], np.float64)
    found = SearchScores(np.where(is_right, scores, -np.inf)[is_mated], scores[~is_mated])
    at_fpir = {k: metrics.fnir_at_fpir(found.mated, found.nonmated, v) for k, v in FPIRS.items()}
    return IdentificationReport(
        n_gallery=len(enrolled.names),
        n_templates=len(enrolled.gallery.templates),
        n_probes=len(found.mated),
        n_impostors=len(found.nonmated),
        n_undetected=enrolled.n_undetected + sum(match is NO_FACE for match in matches),
        rank1=metrics.rate(float(is_right.sum()), len(found.mated)),
        fnir_at_fpir={key: fnir for key, (fnir, _) in at_fpir.items()},
        threshold=at_fpir[MAIN_FPIR][1],
        thresholds={key: threshold for key, (_, threshold) in at_fpir.items()},
        configured=_configured(matches, is_mated, is_right, decision),
        model_id=embedder.model_id,
        variant=embedder.variant,
        scores=found,
    )


def _enrol(embedder: PhotoEmbedder, folder: Path) -> _Enrolled:
    people = read_people(folder)
    photos = [photo for person in people.values() for photo in person]
    embedded = embedder.embed(folder, photos, title="gallery")
    names = tuple(people)
    owner = np.array([names.index(person_of(photo)) for photo in photos], np.intp)[embedded.found]
    with_templates, rows = np.unique(owner, return_inverse=True)
    both = (embedded.embeddings[embedded.found], embedded.mirrored[embedded.found])
    gallery = Gallery(
        embedder.model_id,
        tuple(int(index) for index in with_templates),
        np.concatenate(both),
        np.concatenate([rows, rows]).astype(np.intp),
    )
    return _Enrolled(gallery, names, int((~embedded.found).sum()))


def _refuse_enrolled(
    enrolled: _Enrolled, strangers: Mapping[str, tuple[str, ...]], folder: Path
) -> None:
    both = sorted(set(strangers) & set(enrolled.names))
    if both:
        raise ProtocolError(f"{folder} holds {both[0]}, who is in the gallery and no impostor")


def _search(
    embedder: PhotoEmbedder,
    enrolled: _Enrolled,
    searched: Mapping[Path, Mapping[str, tuple[str, ...]]],
    decision: DecisionConfig,
) -> tuple[list[str], list[Match]]:
    """The person each photo shows, and the best match of each."""
    owners: list[str] = []
    matches: list[Match] = []
    for folder, people in searched.items():
        photos = [photo for person in people.values() for photo in person]
        embedded = embedder.embed(folder, photos, title=folder.name)
        owners += [person_of(photo) for photo in photos]
        matches += _matches(embedded, enrolled.gallery, decision)
    return owners, matches


def _matches(embedded: EmbeddedPhotos, gallery: Gallery, decision: DecisionConfig) -> list[Match]:
    rows: FloatArray = similarities(embedded.embeddings, gallery)
    return [
        best_match(row, gallery, decision.baseline, decision.baseline_weight) if found else NO_FACE
        for row, found in zip(rows, embedded.found, strict=True)
    ]


def _is_right(match: Match, owner: str, enrolled: _Enrolled) -> bool:
    return match.student_id is not None and enrolled.names[match.student_id] == owner


def _configured(
    matches: list[Match], is_mated: metrics.Bools, is_right: metrics.Bools, decision: DecisionConfig
) -> OperatingPoint:
    is_named = np.array(
        [m.score >= decision.threshold and m.margin >= decision.margin for m in matches], np.bool_
    )
    n_mated, n_strangers = int(is_mated.sum()), int((~is_mated).sum())
    return OperatingPoint(
        threshold=decision.threshold,
        margin=decision.margin,
        fpir=metrics.rate(int((is_named & ~is_mated).sum()), n_strangers),
        fnir=metrics.rate(int((is_mated & ~(is_named & is_right)).sum()), n_mated),
        misidentified=metrics.rate(int((is_named & is_mated & ~is_right).sum()), n_mated),
    )
