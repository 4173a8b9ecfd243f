"""The background of impostor statistics that ships with the program: figures, not faces.

Rosters are drawn many times from people with enough photos; everybody else is a stranger to them.
How often a stranger gets a name, by size of roster and threshold, is what `attendance calibrate`
starts from. Scores are the live decision's own, on a single photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attendance.config import DecisionConfig
from attendance.core.domain import FloatArray, Gallery
from attendance.core.impostors import Background, Doubles
from attendance.core.matching import best_match, similarities
from attendance.evaluation.embedding import PhotoEmbedder
from attendance.evaluation.protocols import ProtocolError
from attendance.evaluation.reports import shown

SIZES = (1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 84, 120)
LEVELS = np.round(np.arange(0.10, 0.901, 0.02), 2)
TEMPLATES = 5
ROSTERS = 40
LEAST_PEOPLE = 10
DRAWS = 200


@dataclass(frozen=True)
class Crowd:
    """People who can be put on a roster, and strangers to all of them.

    Attributes:
        templates: (n, t, d) float32, t of each person, flips included.
        probes: (n, d) one photo more of each.
        strangers: (s, d) one photo of each.
    """

    templates: FloatArray
    probes: FloatArray
    strangers: FloatArray

    def gallery(self, chosen: Sequence[int] | np.ndarray, model_id: str = "") -> Gallery:
        """A roster of these people; the student ids are their places in it."""
        n, (_, per, d) = len(chosen), self.templates.shape
        rows = self.templates[np.asarray(chosen, np.intp)].reshape(n * per, d)
        return Gallery(model_id, tuple(range(n)), rows, np.repeat(np.arange(n), per))


def read_crowd(embedder: PhotoEmbedder, folder: Path, people: dict[str, tuple[str, ...]]) -> Crowd:
    """People with six photos or more make rosters, one photo of everybody else a stranger.

    Args:
        embedder: the model, with the detector that crops for it.
        folder: what the paths are relative to.
        people: the photos of each; of those with six or more the first five and their flips are
            templates and the sixth is the probe.

    Raises:
        ProtocolError: fewer than `LEAST_PEOPLE` people have six photos with a face.
    """
    many = {name: paths[: TEMPLATES + 1] for name, paths in people.items() if len(paths) > 5}
    wanted = [path for paths in many.values() for path in paths]
    one_each = [paths[0] for name, paths in people.items() if name not in many]
    embedded = embedder.embed(folder, wanted, title="rosters")
    strangers = embedder.embed(folder, one_each, title="strangers")
    d = embedded.embeddings.shape[-1]
    whole = embedded.found.reshape(-1, TEMPLATES + 1).all(axis=1)
    if whole.sum() < LEAST_PEOPLE:
        raise ProtocolError(
            f"{folder}: {whole.sum()} people have {TEMPLATES + 1} photos with a face, "
            f"{LEAST_PEOPLE} are needed"
        )
    originals = embedded.embeddings.reshape(-1, TEMPLATES + 1, d)[whole]
    mirrored = embedded.mirrored.reshape(-1, TEMPLATES + 1, d)[whole]
    templates = np.concatenate([originals[:, :TEMPLATES], mirrored[:, :TEMPLATES]], axis=1)
    return Crowd(templates, originals[:, TEMPLATES], strangers.embeddings[strangers.found])


def searched(probes: FloatArray, gallery: Gallery, decision: DecisionConfig) -> Doubles:
    """Score and margin of each probe, as the live decision sees them. Returns: (n, 2)."""
    rows = similarities(probes, gallery)
    found = [best_match(r, gallery, decision.baseline, decision.baseline_weight) for r in rows]
    return np.array([(match.score, match.margin) for match in found]).reshape(-1, 2)


def measure_background(crowd: Crowd, model_id: str, decision: DecisionConfig) -> Background:
    """Draws rosters of each size and searches them for every stranger."""
    people = len(crowd.templates)
    sizes = [size for size in SIZES if size <= people / 2]
    draw = np.random.default_rng(0)
    tables = [_named(crowd, size, decision, draw) for size in shown(sizes, "sizes of roster")]
    spreads = [_spread(t, size / people, draw) for t, size in zip(tables, sizes, strict=True)]
    return Background(
        model_id=model_id,
        margin=decision.margin,
        strangers=len(crowd.strangers),
        people=people,
        sizes=np.array(sizes, np.float64),
        levels=LEVELS,
        fpir=np.stack([table.mean(axis=(0, 1)) for table in tables]),
        spread=np.stack(spreads),
    )


def _named(crowd: Crowd, size: int, decision: DecisionConfig, draw: np.random.Generator) -> Doubles:
    """Whether each stranger gets a name at each level. Returns: (rosters, strangers, levels)."""
    rosters = []
    for _ in range(ROSTERS):
        chosen = draw.choice(len(crowd.templates), size, replace=False)
        score, margin = searched(crowd.strangers, crowd.gallery(chosen), decision).T
        rosters.append((score[:, None] >= LEVELS) & (margin >= decision.margin)[:, None])
    return np.stack(rosters).astype(np.float64)


def _spread(named: Doubles, drawn_share: float, draw: np.random.Generator) -> Doubles:
    """How far the rate of one roster lies from the mean found here. Returns: (levels,).

    What rosters differ by, less what is chance among these strangers, and made larger where one
    roster takes a good part of the people; what the mean found here differs by from that of all
    people, as a roster's share of those it was found with; and what it would be with other
    strangers.
    """
    strangers = named.shape[1]
    by_roster = named.mean(axis=1)
    chance = (by_roster * (1 - by_roster)).mean(axis=0) / strangers
    between = np.maximum(by_roster.var(axis=0, ddof=1) - chance, 0) / (1 - drawn_share)
    by_stranger = named.mean(axis=0)
    weights = draw.multinomial(strangers, np.full(strangers, 1 / strangers), DRAWS) / strangers
    of_mean = (weights @ by_stranger).var(axis=0)
    return np.asarray(np.sqrt(between * (1 + drawn_share) + of_mean), np.float64)
