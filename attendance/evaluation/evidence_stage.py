"""People enrolled, and clips of probes and strangers played before classes drawn from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attendance.config import DecisionConfig
from attendance.core.domain import Gallery, IntArray
from attendance.core.matching import similarities
from attendance.evaluation.embedding import PhotoEmbedder
from attendance.evaluation.evidence_cast import Cast
from attendance.evaluation.evidence_rules import Scorer, Seen
from attendance.evaluation.footage import Clip, Filmer
from attendance.evaluation.protocols import person_of

ROSTER = 30
STRANGERS_EACH = 150
FULL_HEIGHT_PX = 100.0


@dataclass(frozen=True)
class Stage:
    """People ready to be tried: templates, and clips against all of them.

    Attributes:
        names: of everybody who is enrolled in some class.
        gallery: of all of them, in that order.
        clips: of probes and strangers.
        seen: each clip against the whole gallery.
    """

    names: tuple[str, ...]
    gallery: Gallery
    clips: tuple[Clip, ...]
    seen: tuple[Seen, ...]


@dataclass(frozen=True)
class Trial:
    """One track before one class.

    Attributes:
        clip: index into the clips of the stage.
        own: index of the student into the class, -1 for a stranger.
    """

    clip: int
    own: int


def set_stage(embedder: PhotoEmbedder, filmer: Filmer, folder: Path, cast: Cast) -> Stage:
    """Enrol with five photos and their flips; play the probes and the strangers as clips.

    Raises:
        PhotoError: a photo is no image.
    """
    clips = filmer.film(folder, cast.probes + cast.strangers)
    photos = [photo for person in cast.enrolled.values() for photo in person]
    embedded = embedder.embed(folder, photos, title="templates")
    names = sorted({person_of(p) for p, f in zip(photos, embedded.found, strict=True) if f})
    owner = [names.index(person_of(p)) for p in np.array(photos)[embedded.found]]
    rows = np.concatenate([embedded.embeddings[embedded.found], embedded.mirrored[embedded.found]])
    owners = np.array([*owner, *owner], np.intp)
    gallery = Gallery(embedder.model_id, tuple(range(len(names))), rows, owners)
    lost = set(cast.enrolled) - set(names)
    kept = [clip for clip in clips if person_of(clip.photo) not in lost]
    return Stage(tuple(names), gallery, tuple(kept), tuple(seen_by(clip, gallery) for clip in kept))


def seen_by(clip: Clip, gallery: Gallery) -> Seen:
    """A clip against a whole gallery."""
    heights = np.array([quality.height_px for quality in clip.qualities])
    weights = {
        "equal": np.ones(len(heights), np.float32),
        "height": np.clip(heights / FULL_HEIGHT_PX, 0.01, 1).astype(np.float32),
        "quality": np.array([quality.weight for quality in clip.qualities], np.float32),
    }
    means = np.stack([each @ clip.embeddings for each in weights.values()])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    mean_rows = dict(zip(weights, similarities(means, gallery), strict=True))
    return Seen(similarities(clip.embeddings, gallery), mean_rows, weights)


class Classes:
    """Classes drawn from the people of a stage, and who comes before each."""

    def __init__(self, stage: Stage, decision: DecisionConfig, count: int, seed: int = 0) -> None:
        self._stage = stage
        self._decision = decision
        self._chance = np.random.default_rng(seed)
        self._owner = [
            stage.names.index(name) if name in stage.names else -1
            for name in (person_of(clip.photo) for clip in stage.clips)
        ]
        size = min(ROSTER, max(2, len(stage.names) * 2 // 3))
        self.rosters = [
            np.sort(self._chance.permutation(len(stage.names))[:size]) for _ in range(count)
        ]
        self.trials = [self._before(roster) for roster in self.rosters]

    def _before(self, roster: IntArray) -> list[Trial]:
        owner = np.array(self._owner)
        ours = np.flatnonzero(np.isin(owner, roster))
        mated = [Trial(int(c), int(np.searchsorted(roster, owner[c]))) for c in ours]
        strange = self._chance.permutation(np.flatnonzero(owner < 0))[:STRANGERS_EACH]
        return mated + [Trial(int(clip), -1) for clip in strange]

    def __iter__(self) -> Iterator[tuple[Trial, Seen, Scorer]]:
        """Every track before every class it is played to."""
        for roster, trials in zip(self.rosters, self.trials, strict=True):
            scorer = Scorer(_class_gallery(self._stage.gallery, roster), self._decision)
            for trial in trials:
                yield trial, _before_class(self._stage.seen[trial.clip], roster), scorer


def _class_gallery(everybody: Gallery, roster: IntArray) -> Gallery:
    is_in = np.isin(everybody.owners, roster)
    owners = np.searchsorted(roster, everybody.owners[is_in])
    ids = tuple(range(len(roster)))
    return Gallery(everybody.model_id, ids, everybody.templates[is_in], owners)


def _before_class(seen: Seen, roster: IntArray) -> Seen:
    means = {name: row[roster] for name, row in seen.mean_rows.items()}
    return Seen(seen.rows[:, roster], means, seen.weights)
