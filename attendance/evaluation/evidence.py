"""Which rule makes the best name of a track's looks? Chosen on some people, judged on others.

Classes of thirty are drawn from the people with enough photos; tracks of the enrolled and of
strangers are played before each class. Every rule gets the threshold that gives a set share of
the strangers of the first people a name, and is judged at that threshold on the second people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from attendance.config import DecisionConfig
from attendance.core import metrics
from attendance.core.domain import IntArray
from attendance.core.metrics import Bools, Doubles, Integers
from attendance.evaluation import evidence_rules as rules
from attendance.evaluation.evidence_rules import Curves, Rule, Scorer, Seen
from attendance.evaluation.evidence_stage import Classes, Stage, Trial
from attendance.evaluation.protocols import person_of

ROSTERS = 100
FPIRS = {"0.01": 0.01, "0.003": 0.003}
TODAY = "mean similarity, by quality"
VOTES = (1 / 3, 1 / 2, 2 / 3)
REPLICATES = 1000


@dataclass(frozen=True)
class Outcomes:
    """What the rules claimed, as parallel arrays.

    Attributes:
        person: (t,) of the track, from 0.
        is_mated: (t,) whether the person is in the class.
        strengths: (t,) of each rule's claim; -inf where it names another student of the class
            than the right one, who is in it.
    """

    person: IntArray
    is_mated: Bools
    strengths: dict[str, Doubles]


@dataclass(frozen=True)
class RuleFigure:
    """One rule at one rate of strangers; each interval is 95 %, by a bootstrap over people.

    Attributes:
        threshold: that holds the rate on the first people.
        fpir: share of the second people's strangers given a name at that threshold.
        fnir: share of their enrolled not given theirs.
        fnir_at_own: the same at the threshold that holds the rate on the second people.
        lead: how much lower `fnir_at_own` is than that of the rule in use, paired.
    """

    threshold: float
    fpir: float
    fpir_interval: tuple[float, float]
    fnir: float
    fnir_interval: tuple[float, float]
    fnir_at_own: float
    lead: float
    lead_interval: tuple[float, float]


@dataclass(frozen=True)
class EvidenceReport:
    """Figures of `evaluate evidence`.

    Attributes:
        n_probes: tracks of enrolled people, before all classes together.
        n_strangers: tracks of strangers, likewise.
        correlation: of two looks' log-likelihood ratios in one track.
        chosen_fnir: of each rule on the first people, by the rate.
        figures: of each rule on the second people, by the rate.
    """

    roster: int
    rosters: int
    n_enrolled: int
    n_probe_clips: int
    n_stranger_clips: int
    n_probes: int
    n_strangers: int
    correlation: float
    chosen_fnir: dict[str, dict[str, float]]
    figures: dict[str, dict[str, RuleFigure]]
    model_id: str
    variant: str
    outcomes: Outcomes = field(repr=False, metadata={"json": False})


def evaluate_evidence(
    first: Stage,
    second: Stage,
    decision: DecisionConfig,
    identity: tuple[str, str],
    count: int = ROSTERS,
    replicates: int = REPLICATES,
) -> EvidenceReport:
    """Compare the rules.

    Args:
        first: people that curves and thresholds are chosen on.
        second: people they are judged on.
        decision: how scores are made; its thresholds are not used.
        identity: model_id and variant of the embedder.
        count: of classes drawn from each.
        replicates: of the bootstrap over people.
    """
    chosen_on, judged_on = (Classes(stage, decision, count) for stage in (first, second))
    single, by_quality = (learn(chosen_on, bins) for bins in (1, 3))
    candidates = all_rules(single, by_quality)
    learnt = play(first, chosen_on, candidates)
    judged = play(second, judged_on, candidates)
    return EvidenceReport(
        roster=len(judged_on.rosters[0]),
        rosters=count,
        n_enrolled=len(second.names),
        n_probe_clips=sum(person_of(clip.photo) in second.names for clip in second.clips),
        n_stranger_clips=sum(person_of(clip.photo) not in second.names for clip in second.clips),
        n_probes=int(judged.is_mated.sum()),
        n_strangers=int((~judged.is_mated).sum()),
        correlation=single.correlation,
        chosen_fnir={key: _fnirs(learnt, fpir) for key, fpir in FPIRS.items()},
        figures={key: _figures(learnt, judged, fpir, replicates) for key, fpir in FPIRS.items()},
        model_id=identity[0],
        variant=identity[1],
        outcomes=judged,
    )


def all_rules(single: Curves, by_quality: Curves) -> dict[str, Rule]:
    """Every rule of the trial by its name."""
    voting = {
        f"votes, {share:.0%} of the looks": partial(rules.votes, share=share) for share in VOTES
    }
    weights = ("equal", "height", "quality")
    return {
        "any single look": rules.any_look,
        **voting,
        **{f"mean similarity, by {w}": partial(rules.mean_similarity, weights=w) for w in weights},
        **{f"mean embedding, by {w}": partial(rules.mean_embedding, weights=w) for w in weights},
        "likelihood ratios": partial(rules.likelihood, curves=single),
        "likelihood ratios by quality": partial(rules.likelihood, curves=by_quality),
    }


def learn(classes: Classes, bins: int) -> Curves:
    """Curves of genuine and impostor scores from tracks whose truth is known."""
    kinds: tuple[list[tuple[Doubles, Doubles]], list[tuple[Doubles, Doubles]]] = ([], [])
    for trial, seen, scorer in classes:
        is_stranger = trial.own < 0
        student = rules.mean_similarity(seen, scorer, "equal").student if is_stranger else trial.own
        scores = np.array([scorer.of(row, student) for row in seen.rows])
        kinds[is_stranger].append((scores, np.asarray(seen.weights["quality"], np.float64)))
    return rules.fit_curves(*kinds, bins)


def play(stage: Stage, classes: Classes, candidates: dict[str, Rule]) -> Outcomes:
    """What every rule claims of every track."""
    trials: list[Trial] = []
    strengths: dict[str, list[float]] = {name: [] for name in candidates}
    for trial, seen, scorer in classes:
        trials.append(trial)
        for name, rule in candidates.items():
            strengths[name].append(_strength(rule, trial, seen, scorer))
    names = [person_of(stage.clips[trial.clip].photo) for trial in trials]
    person = np.asarray(np.unique(names, return_inverse=True)[1], np.intp)
    is_mated = np.array([trial.own >= 0 for trial in trials], np.bool_)
    return Outcomes(person, is_mated, {k: np.array(v) for k, v in strengths.items()})


def _strength(rule: Rule, trial: Trial, seen: Seen, scorer: Scorer) -> float:
    claim = rule(seen, scorer)
    is_wrong = trial.own >= 0 and claim.student != trial.own
    return -np.inf if is_wrong else claim.strength


def _fnirs(outcomes: Outcomes, fpir: float) -> dict[str, float]:
    mated = outcomes.is_mated
    return {
        name: metrics.fnir_at_fpir(each[mated], each[~mated], fpir)[0]
        for name, each in outcomes.strengths.items()
    }


def _figures(
    learnt: Outcomes, judged: Outcomes, fpir: float, replicates: int
) -> dict[str, RuleFigure]:
    thresholds = {
        name: metrics.threshold_at_far(each[~learnt.is_mated], fpir)
        for name, each in learnt.strengths.items()
    }
    curves = {
        name: _Judged(judged, name, thresholds[name], fpir) for name in thresholds
    }  # sorted once, weighted a thousand times

    def rates(drawn: Integers) -> Doubles:
        weights = drawn[judged.person].astype(np.float64)
        found = np.array([curve.rates(weights) for curve in curves.values()])
        leads = found[list(curves).index(TODAY), 2] - found[:, 2]
        return np.column_stack([found, leads]).ravel()

    n_people = int(judged.person.max()) + 1
    point = rates(np.ones(n_people, np.intp))
    low, high = metrics.interval(metrics.bootstrap_people(rates, n_people, replicates))
    rows = zip(
        thresholds, *(each.reshape(-1, 4).tolist() for each in (point, low, high)), strict=True
    )
    return {name: _figure(thresholds[name], *at) for name, *at in rows}


def _figure(threshold: float, at: list[float], low: list[float], high: list[float]) -> RuleFigure:
    ends = list(zip(low, high, strict=True))
    return RuleFigure(threshold, at[0], ends[0], at[1], ends[1], at[2], at[3], ends[3])


class _Judged:
    """One rule's claims, ready to be weighted."""

    def __init__(self, outcomes: Outcomes, name: str, threshold: float, fpir: float) -> None:
        strengths = outcomes.strengths[name]
        self._mated = np.flatnonzero(outcomes.is_mated)
        strange = np.flatnonzero(~outcomes.is_mated)
        self._strange = strange[np.argsort(-strengths[strange], kind="stable")]
        self._own, self._others = strengths[self._mated], strengths[self._strange]
        self._threshold, self._fpir = threshold, fpir

    def rates(self, weights: Doubles) -> Doubles:
        """FPIR and FNIR at the threshold, FNIR at the threshold of its own. Returns: (3,)."""
        own, others = weights[self._mated], weights[self._strange]
        named = others[self._others >= self._threshold].sum()
        found = own[self._own >= self._threshold].sum()
        at_own = metrics.weighted_val_at_far(
            (self._own, own), (self._others, others), float(others.sum()), [self._fpir]
        )[0]
        fpir = metrics.rate(float(named), float(others.sum()))
        return np.array([fpir, 1 - metrics.rate(float(found), float(own.sum())), 1 - at_own])
