"""From looks to a verdict: enough looks over enough time, clear of everybody else, or no name."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.core.domain import Decision, Look, Match
from attendance.core.evidence import (
    CONTRADICTIONS,
    KEPT_LOOKS,
    WINDOW_LOOKS,
    TrackEvidence,
    decide,
)
from attendance.core.matching import CameraGallery
from tests.fakes import NINE, RULES, axis, gallery_of, like

ME, OTHER, STRANGER = axis(0), axis(1), axis(20)
PAIR = gallery_of(1, 2)
fractions = st.floats(0, 1)


@st.composite
def all_rules(draw):
    review, threshold = sorted((draw(fractions), draw(fractions)))
    return replace(RULES, threshold=threshold, review_threshold=review, margin=draw(fractions))


matches = st.builds(
    Match, st.one_of(st.none(), st.just(1)), fractions, st.floats(0, 2), st.floats(-1, 1)
)


def look(t_s, embedding, quality=1.0):
    return Look(t_s, NINE + timedelta(seconds=t_s), embedding, quality)


def evidence_of(*looks, gallery=PAIR, rules=RULES):
    evidence = TrackEvidence(CameraGallery.of(gallery), rules)
    for each in looks:
        evidence.add(each)
    return evidence


def looks_of(*embeddings, every_s=0.5, from_s=0.0):
    return [look(from_s + i * every_s, embedding) for i, embedding in enumerate(embeddings)]


@pytest.mark.parametrize(
    ("match", "expected", "reason"),
    [
        (Match(1, 0.9, 0.4, 0.9), "accept", "clear"),
        (Match(1, 0.5, 0.1, 0.5), "accept", "exactly at threshold and margin"),
        (Match(1, 0.5, 0.09, 0.5), "review", "two names too close"),
        (Match(1, 0.9, 0.4, 0.49), "review", "just under the threshold"),
        (Match(1, 0.4, 0.4, 0.4), "review", "exactly at the review threshold"),
        (Match(1, 0.9, 0.4, 0.39), "unknown", "under it: the score counts, not the similarity"),
        (Match(None, -1.0, 0.0, -1.0), "unknown", "nobody to be"),
        (Match(1, float("nan"), 0.4, float("nan")), "review", "a figure that is none names nobody"),
    ],
)
def test_decisions(match, expected, reason):
    assert decide(match, RULES).value == expected, reason


@given(matches, all_rules())
def test_every_decision_is_one_of_three_without_gaps(match, rules):
    is_known = match.student_id is not None and match.score >= rules.review_threshold
    is_clear = is_known and match.score >= rules.threshold and match.margin >= rules.margin
    expected = Decision.ACCEPT if is_clear else Decision.REVIEW if is_known else Decision.UNKNOWN
    assert decide(match, rules) is expected


@given(matches, all_rules(), fractions)
def test_raising_the_threshold_gives_nobody_a_name(match, rules, raised):
    stricter = replace(rules, threshold=max(raised, rules.threshold))
    if decide(match, stricter) is Decision.ACCEPT:
        assert decide(match, rules) is Decision.ACCEPT


@given(matches, all_rules(), fractions, fractions)
def test_stricter_rules_never_move_a_decision_up(match, rules, review, margin):
    order = list(Decision)
    stricter = replace(
        rules,
        review_threshold=max(rules.review_threshold, min(review, rules.threshold)),
        margin=max(rules.margin, margin),
    )
    assert order.index(decide(match, stricter)) >= order.index(decide(match, rules))


@pytest.mark.parametrize(
    ("times", "decision", "reason"),
    [
        ((), "unknown", "no look"),
        ((0.0,), "unknown", "one look is no evidence"),
        ((0.0, 1.5), "unknown", "long enough, but two looks only"),
        ((0.0, 0.1, 0.2), "unknown", "three looks in a blink"),
        ((0.0, 0.5, 0.99), "unknown", "just short of a second"),
        ((0.0, 0.5, 1.0), "accept", "three looks over one second"),
    ],
)
def test_a_name_needs_looks_and_time(times, decision, reason):
    verdict = evidence_of(*[look(t, ME) for t in times]).verdict()
    assert verdict.decision.value == decision, reason
    assert verdict.student_id == (1 if decision == "accept" else None)
    assert verdict.looks == len(times)


def test_one_good_look_among_bad_ones_gives_no_name():
    weak = like(21, a0=0.1)
    verdict = evidence_of(*looks_of(weak, ME, weak, weak)).verdict()
    assert verdict.decision is Decision.UNKNOWN
    assert verdict.similarity == pytest.approx((3 * 0.1 + 1) / 4)


def test_looks_count_by_their_quality():
    """A sharp large face outweighs two blurred small ones: (0.9 + 2 * 0.1 * 0.2) / 1.2."""
    faint = like(21, a0=0.2)
    verdict = evidence_of(look(0, ME * 0.9, 1.0), look(0.5, faint, 0.1), look(1, faint, 0.1))
    assert verdict.verdict().similarity == pytest.approx((0.9 + 0.04) / 1.2)


def test_looks_without_any_quality_still_have_a_mean():
    verdict = evidence_of(*[look(t, ME, 0.0) for t in (0, 0.5, 1)]).verdict()
    assert verdict.similarity == pytest.approx(1.0)


def test_two_alike_are_a_matter_for_staff():
    twin = like(21, a0=0.7, a1=0.65)
    verdict = evidence_of(*looks_of(twin, twin, twin)).verdict()
    assert (verdict.decision, verdict.student_id) == (Decision.REVIEW, 1)
    assert verdict.margin == pytest.approx(0.05)


def test_a_roster_without_templates_knows_nobody():
    evidence = evidence_of(*looks_of(ME, ME, ME), gallery=gallery_of())
    assert evidence.is_sufficient()
    assert evidence.verdict().decision is Decision.UNKNOWN
    assert evidence.verdict().student_id is None


def test_the_best_looks_are_kept_and_only_those_of_the_candidate():
    good = [like(21, a0=0.7 + n / 100) for n in range(8)]
    evidence = evidence_of(*looks_of(*good[:4], like(22, a1=0.9), *good[4:]))
    kept = evidence.verdict().evidence
    assert len(kept) == KEPT_LOOKS
    assert [k.similarity for k in kept] == pytest.approx([0.77, 0.76, 0.75, 0.74, 0.73])
    assert all(hasattr(k, "embedding") is False for k in kept)


def test_the_newest_looks_count_and_the_span_goes_on():
    evidence = evidence_of(*looks_of(*[like(21, a0=0.45)] * 10, *[ME] * WINDOW_LOOKS))
    assert len(evidence) == WINDOW_LOOKS
    assert evidence.verdict().similarity == pytest.approx(1.0)
    assert evidence.began_s == 0.0


def test_the_mean_embedding_has_length_one():
    evidence = evidence_of(*looks_of(ME, OTHER))
    assert float(np.linalg.norm(evidence.mean_embedding())) == pytest.approx(1.0)


def test_before_the_first_look_there_is_no_time():
    evidence = evidence_of()
    assert (evidence.last_look_s, evidence.began_s) == (-np.inf, np.inf)
    assert not evidence.is_sufficient()


NAMED = looks_of(ME, ME, ME, ME)


@pytest.mark.parametrize(
    ("later", "decision", "reason"),
    [
        ([STRANGER], "accept", "one look may err"),
        ([STRANGER, ME, STRANGER, ME], "accept", "never two in a row"),
        ([STRANGER, STRANGER], "unknown", "two in a row: somebody else stands here"),
        ([OTHER, OTHER], "unknown", "another student: named anew, not at once"),
        ([like(22, a0=0.39), like(23, a0=0.39)], "unknown", "two looks under the review threshold"),
        ([like(22, a0=0.41), like(23, a0=0.41)], "accept", "faint, but still the same person"),
    ],
)
def test_a_name_is_withdrawn_when_looks_contradict_it(later, decision, reason):
    evidence = evidence_of(*NAMED)
    withdrawn = [evidence.add(each) for each in looks_of(*later, from_s=2.0)]
    assert evidence.verdict().decision.value == decision, reason
    assert any(withdrawn) is (decision == "unknown")
    assert evidence.is_doubted is (later == [STRANGER])


def test_after_a_withdrawal_only_the_new_face_counts():
    evidence = evidence_of(*NAMED, *looks_of(*[OTHER] * CONTRADICTIONS, from_s=2.0))
    assert (len(evidence), evidence.began_s) == (CONTRADICTIONS, 2.0)
    evidence.add(look(3.0, OTHER))
    verdict = evidence.verdict()
    assert (verdict.decision, verdict.student_id) == (Decision.ACCEPT, 2)
    assert verdict.similarity == pytest.approx(1.0)


def test_a_face_that_never_had_a_name_has_none_to_lose():
    evidence = evidence_of(*looks_of(STRANGER, OTHER, STRANGER, OTHER))
    assert not evidence.is_doubted
    assert len(evidence) == 4


embeddings = st.sampled_from([ME, OTHER, STRANGER, like(21, a0=0.7, a1=0.6), like(22, a0=0.45)])


@given(st.lists(embeddings, max_size=30), st.integers(1, 5), st.floats(0, 2))
def test_no_name_without_the_looks_and_the_span_it_needs(faces, min_looks, min_span_s):
    rules = replace(RULES, min_looks=min_looks, min_span_s=min_span_s)
    evidence = TrackEvidence(CameraGallery.of(PAIR), rules)
    for each in looks_of(*faces, every_s=0.3):
        evidence.add(each)
        verdict = evidence.verdict()
        assert isinstance(verdict.decision, Decision)
        if verdict.decision is not Decision.UNKNOWN:
            assert verdict.looks >= min_looks
            assert evidence.last_look_s - evidence.began_s >= min_span_s
            assert verdict.student_id in {1, 2}


one_person = st.sampled_from([ME, like(21, a0=0.7, a1=0.6), like(22, a0=0.6), like(23, a0=0.45)])


@given(st.lists(one_person, min_size=3, max_size=8))
def test_a_higher_threshold_names_nobody_else(faces):
    """Over looks of one person, so that nothing is withdrawn in between."""
    strict = replace(RULES, threshold=0.8)
    assert names_over(faces, strict) <= names_over(faces, RULES)


def names_over(faces, rules):
    """Who has a name at some moment of these looks."""
    evidence, names = evidence_of(rules=rules), set()
    for each in looks_of(*faces):
        evidence.add(each)
        verdict = evidence.verdict()
        names |= {verdict.student_id} if verdict.decision is Decision.ACCEPT else set()
    return names


one_look = st.tuples(one_person, st.floats(0.05, 1))


@given(st.lists(one_look, min_size=3, max_size=WINDOW_LOOKS), st.randoms(use_true_random=False))
def test_the_order_of_looks_within_the_window_does_not_matter(looks, chance):
    """Over looks of one person; looks that contradict a name count by their order on purpose."""
    mixed = chance.sample(looks, len(looks))
    one, other = (
        evidence_of(*[look(0.5 * i, *each) for i, each in enumerate(order)]).verdict()
        for order in (looks, mixed)
    )
    assert one.student_id == other.student_id
    assert (one.score, one.margin) == pytest.approx((other.score, other.margin), abs=1e-5)
    if abs(one.score - RULES.threshold) > 1e-5 and abs(one.margin - RULES.margin) > 1e-5:
        assert one.decision is other.decision


likeness = st.floats(0.41, 0.9)


@given(
    st.lists(st.tuples(likeness, st.floats(0.05, 1)), min_size=3, max_size=WINDOW_LOOKS),
    st.data(),
)
def test_a_look_more_alike_never_weakens_the_evidence(looks, data):
    """Whichever look it is, however much it weighs."""
    which = data.draw(st.integers(0, len(looks) - 1))
    raised = list(looks)
    raised[which] = (data.draw(st.floats(looks[which][0], 0.95)), looks[which][1])
    less, more = (
        evidence_of(
            *[look(0.5 * i, like(21, a0=a), weight) for i, (a, weight) in enumerate(each)]
        ).verdict()
        for each in (looks, raised)
    )
    order = [Decision.UNKNOWN, Decision.REVIEW, Decision.ACCEPT]
    assert more.score >= less.score - 1e-6
    assert more.margin >= less.margin - 1e-6
    is_on_the_edge = abs(less.score - RULES.threshold) < 1e-5
    assert is_on_the_edge or order.index(more.decision) >= order.index(less.decision)


rises = st.tuples(st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.05, 1))


@given(st.lists(rises, min_size=3, max_size=WINDOW_LOOKS))
def test_looks_all_more_alike_never_cost_a_name(looks):
    """Withdrawals on the way included: where the fainter looks end in a name, the others do."""
    faint = [(low, weight) for low, _, weight in looks]
    clear = [(low + rise * (0.95 - low), weight) for low, rise, weight in looks]
    less, more = (
        evidence_of(
            *[look(0.5 * i, like(21, a0=a), weight) for i, (a, weight) in enumerate(each)]
        ).verdict()
        for each in (faint, clear)
    )
    if less.decision is Decision.ACCEPT and abs(more.score - RULES.threshold) > 1e-5:
        assert more.decision is Decision.ACCEPT
        assert more.student_id == less.student_id
