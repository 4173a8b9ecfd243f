"""Rules of evidence on tracks whose truth is known, and the trial that compares them."""

import numpy as np
import pytest

from attendance.config import DecisionConfig
from attendance.core.domain import Gallery
from attendance.core.quality import Quality
from attendance.evaluation import evidence_rules as rules
from attendance.evaluation.evidence import TODAY, evaluate_evidence
from attendance.evaluation.evidence_rules import Curves, Scorer, Seen
from attendance.evaluation.evidence_stage import Stage, seen_by
from attendance.evaluation.footage import Clip

DECISION = DecisionConfig()
TWO = Gallery("m", (0, 1), np.eye(2, 4, dtype=np.float32), np.arange(2))
GOOD = Quality(100, 1, 0.5, 0, 0, 0, 0)


def seen(*rows, weights=None):
    matrix = np.array(rows, np.float32)
    ones = np.ones(len(rows), np.float32) if weights is None else np.array(weights, np.float32)
    names = ("equal", "height", "quality")
    return Seen(matrix, {name: matrix.mean(axis=0) for name in names}, dict.fromkeys(names, ones))


@pytest.mark.parametrize(
    ("share", "student", "reason"),
    [
        (1 / 3, 0, "one look of three is enough, and the strongest claim wins"),
        (1 / 2, 1, "two looks of three say the second student"),
        (1.0, -1, "all three have to agree, and do not"),
    ],
)
def test_votes_name_whom_enough_looks_name(share, student, reason):
    track = seen([0.9, 0.1], [0.1, 0.6], [0.1, 0.7])
    assert rules.votes(track, Scorer(TWO, DECISION), share).student == student, reason


def test_a_single_look_decides_where_any_may():
    track = seen([0.9, 0.1], [0.1, 0.6], [0.1, 0.7])
    assert rules.any_look(track, Scorer(TWO, DECISION)).student == 0
    assert rules.mean_similarity(track, Scorer(TWO, DECISION), "equal").student == 1


def test_weights_let_good_looks_speak():
    track = seen([0.9, 0.1], [0.1, 0.6], [0.1, 0.7], weights=[1, 0.1, 0.1])
    assert rules.mean_similarity(track, Scorer(TWO, DECISION), "quality").student == 0


def curves_of(overlap):
    """Curves from three hundred tracks of four looks."""
    chance = np.random.default_rng(1)

    def tracks(middle):
        level = chance.normal(middle, 0.1, 300)
        return [(chance.normal(each, overlap, 4), np.ones(4)) for each in level]

    return rules.fit_curves(tracks(0.7), tracks(0.3), 1)


def test_a_higher_score_never_counts_less():
    ratios = curves_of(0.1).ratios[0]
    assert (np.diff(ratios) >= 0).all()
    assert ratios[0] < -3 < 3 < ratios[-1]


def test_looks_of_one_track_that_are_alike_are_noticed():
    assert curves_of(0.02).correlation > 0.85
    assert curves_of(0.4).correlation < 0.3


def test_repeating_a_look_adds_nothing_where_looks_repeat_each_other():
    steep = Curves(np.zeros(0), np.linspace(-8, 8, 241)[None], 1.0)
    scorer = Scorer(TWO, DECISION)
    once = rules.likelihood(seen([0.9, 0.1]), scorer, steep).strength
    thrice = rules.likelihood(seen(*[[0.9, 0.1]] * 3), scorer, steep).strength
    assert thrice == pytest.approx(once)


def stage(seed, people=12, strangers=20):
    """People on axes of their own and a clip of each; looks with noise shared and of their own."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(people + strangers, 16))
    names = tuple(f"p{number:02d}" for number in range(people))

    def unit(rows):
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    gallery = Gallery("m", tuple(range(people)), unit(centres[:people]), np.arange(people))
    clips = [
        Clip(
            f"p{number:02d}/a.jpg",
            unit(centre + chance.normal(0, 0.6, 16) + chance.normal(0, 0.6, (6, 16))),
            (GOOD,) * 6,
        )
        for number, centre in enumerate(centres)
    ]
    return Stage(names, gallery, tuple(clips), tuple(seen_by(clip, gallery) for clip in clips))


def test_the_trial_finds_averaging_better_than_single_looks():
    report = evaluate_evidence(stage(1), stage(2), DECISION, ("m", "fake"), count=6, replicates=30)
    at = report.figures["0.01"]
    assert at[TODAY].lead == 0, "today's rule is what the others are compared with"
    assert at["any single look"].fnir_at_own >= at[TODAY].fnir_at_own
    assert all(each.fnir_interval[0] <= each.fnir <= each.fnir_interval[1] for each in at.values())
    assert report.n_probes == 6 * report.roster
