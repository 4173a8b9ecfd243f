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
from attendance.core.matching import similarities
from attendance.evaluation.embedding import PhotoEmbedder
from attendance.evaluation.protocols import ProtocolError
from attendance.evaluation.reports import shown

SIZES = (1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 84, 120)
LEVELS = np.round(np.arange(0.10, 0.901, 0.02), 2)
TEMPLATES = 5
ROSTERS = 100
LEAST_PEOPLE = 10
DRAWS = 400


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
    return matched_rows(similarities(probes, gallery), decision)


def matched_rows(rows: FloatArray, decision: DecisionConfig) -> Doubles:
    """What `best_match` finds in each row, all at once: a background takes millions of them.

    Args:
        rows: (n, s) of `similarities`, s at least 1.
        decision: how scores are made.

    Returns:
        (n, 2) score and margin.
    """
    raw = np.sort(rows.astype(np.float64), axis=1)
    best, others = raw[:, -1], raw[:, :-1]
    total = decision.baseline_weight + others.shape[1]
    shared = decision.baseline_weight * decision.baseline + others.sum(axis=1)
    base = np.clip(shared / total, 0.0, 0.99) if total else np.full(len(raw), decision.baseline)
    second = others.max(axis=1, initial=-1.0)
    return np.stack([(best - base) / (1 - base), best - second], axis=1)


def measure_background(
    crowd: Crowd, model_id: str, decision: DecisionConfig, sizes: Sequence[int] = SIZES
) -> Background:
    """Draws rosters of each size and searches them for every stranger.

    Sizes above half of the people are left out.
    """
    people = len(crowd.templates)
    sizes = [size for size in sizes if size <= people / 2]
    draw = np.random.default_rng(0)
    rows = similarities(crowd.strangers, crowd.gallery(np.arange(people)))
    tables = [_rates(rows, size, decision, draw) for size in shown(sizes, "sizes of roster")]
    spreads = [_spread(rows, size, decision, draw) for size in shown(sizes, "people redrawn")]
    return Background(
        model_id=model_id,
        margin=decision.margin,
        strangers=len(crowd.strangers),
        people=people,
        sizes=np.array(sizes, np.float64),
        levels=LEVELS,
        fpir=np.stack(tables),
        spread=np.stack(spreads),
    )


def _rates(
    rows: FloatArray, size: int, decision: DecisionConfig, draw: np.random.Generator
) -> Doubles:
    """The mean share of the strangers who get a name. Returns: (levels,)."""
    alike = np.ones(len(rows))
    rosters = [draw.choice(rows.shape[1], size, replace=False) for _ in range(ROSTERS)]
    named = np.array([_named(rows[:, who], alike, decision) for who in rosters])
    return np.asarray(named.mean(axis=0), np.float64)


def _spread(
    rows: FloatArray, size: int, decision: DecisionConfig, draw: np.random.Generator
) -> Doubles:
    """How far the rate of a roster of other people lies from the mean found here.

    Both the people who can be enrolled and the strangers are drawn again with replacement, and one
    roster is taken from whom that gives: the background's own people are a sample as well, and a
    roster of few of them says little of how rosters of others differ.

    Returns:
        (levels,) standard deviation.
    """
    strangers, people = rows.shape
    found = []
    for _ in range(DRAWS):
        there = np.unique(draw.integers(people, size=people))
        who = draw.choice(there, min(size, len(there)), replace=False)
        seen = np.bincount(draw.integers(strangers, size=strangers), minlength=strangers)
        found.append(_named(rows[:, who], seen.astype(np.float64), decision))
    return np.asarray(np.std(found, axis=0, ddof=1), np.float64)


def _named(rows: FloatArray, weights: Doubles, decision: DecisionConfig) -> Doubles:
    """The share of weighted strangers who get a name at each level. Returns: (levels,)."""
    score, margin = matched_rows(rows, decision).T
    leads = margin >= decision.margin
    counts, _ = np.histogram(score[leads], [*LEVELS, np.inf], weights=weights[leads])
    return np.asarray(counts[::-1].cumsum()[::-1] / weights.sum(), np.float64)
