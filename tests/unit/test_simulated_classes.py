"""Classes drawn from a collection: who may be in them, what counts as a miss, what a rate is."""

import numpy as np
import pytest

from attendance.core.domain import FloatArray, Gallery
from attendance.evaluation.command_scope import Place
from attendance.evaluation.crop_sweep import TEMPLATE_RULES
from attendance.evaluation.embedding import EmbeddedPhotos
from attendance.evaluation.looks import SCENES
from attendance.evaluation.protocols import ProtocolError
from attendance.evaluation.simulated_classes import (
    Looks,
    NamingRule,
    draw_classes,
    fnir_samples,
    search_classes,
    share_samples,
    templates_that_suffice,
)

RULE = NamingRule(margin=0.1, baseline=0.0, baseline_weight=1e9)
"""Under it a score is the similarity."""
PEOPLE = 8
OWNERS = np.repeat(np.arange(PEOPLE), 3)


def photos(missing: tuple[int, ...] = ()) -> EmbeddedPhotos:
    """Three photos of each person, all of a person exactly alike, nobody like anybody else."""
    rows = np.eye(PEOPLE, dtype=np.float32)[OWNERS]
    found = ~np.isin(np.arange(len(rows)), missing)
    rows[~found] = 0
    return EmbeddedPhotos(tuple(f"p{o}/{i}" for i, o in enumerate(OWNERS)), rows, rows, found)


def test_a_probe_is_no_template_and_a_stranger_no_member() -> None:
    for drawn in draw_classes(OWNERS, 20, 5, 2):
        assert len(set(drawn.members.tolist())) == 5
        assert (OWNERS[drawn.templates] == drawn.members[:, None]).all()
        assert (OWNERS[drawn.probes] == drawn.members).all()
        assert not np.isin(drawn.probes, drawn.templates).any()
        assert set(OWNERS[drawn.strangers].tolist()) == set(range(8)) - set(drawn.members.tolist())


def test_the_seed_decides_the_classes() -> None:
    first, again = (draw_classes(OWNERS, 3, 5, 2) for _ in range(2))
    assert all((a.members == b.members).all() for a, b in zip(first, again, strict=True))


def test_too_few_people_are_counted_in_the_message() -> None:
    with pytest.raises(ProtocolError, match="people with 4 photos, there are 0"):
        draw_classes(OWNERS, 1, 5, 3)


@pytest.mark.parametrize(
    ("size", "asked", "expected", "reason"),
    [
        (2, 2, 2, "enough people have three photos"),
        (3, 2, 1, "only two people have three, one more has two"),
        (9, 5, 1, "never less than one; the draw says what is missing"),
    ],
)
def test_templates_that_suffice(size: int, asked: int, expected: int, reason: str) -> None:
    owners = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    assert templates_that_suffice(owners, size, asked) == expected, reason


def test_people_who_are_told_apart_are_named_and_strangers_are_not() -> None:
    found = search_classes(draw_classes(OWNERS, 10, 5, 2), OWNERS, photos(), RULE)
    assert (found.n_rank1, len(found.mated), len(found.nonmated)) == (50, 50, 30)
    assert (found.mated == 1).all()
    assert np.isneginf(found.misnamed).all()
    assert np.isneginf(found.nonmated).all(), "equally unlike everybody: no lead, no name"


def test_a_probe_without_a_face_is_a_miss() -> None:
    draws = draw_classes(OWNERS, 10, 5, 2)
    blind = photos(missing=(int(draws[0].probes[0]),))
    found = search_classes(draws, OWNERS, blind, RULE)
    assert np.isneginf(found.mated[0])
    samples = fnir_samples(found, [0.5], PEOPLE, 20)
    assert samples.value[0] >= 1 / 50


def test_looks_are_averaged_by_their_weight_before_anything_is_compared() -> None:
    plain = photos()
    other = np.roll(plain.embeddings, 3, axis=0)
    looks = Looks(np.stack([plain.embeddings, other], axis=1), np.tile(np.float32([3, 1]), (24, 1)))
    draws = draw_classes(OWNERS, 5, 8, 2)
    found = search_classes(draws, OWNERS, plain, RULE, looks)
    assert found.mated == pytest.approx(0.75)


def test_a_share_is_of_the_people_drawn() -> None:
    people = np.array([0, 0, 0, 1])
    samples = share_samples(np.array([True, True, True, False]), people, 2, 400)
    (rate,) = samples.rates(4)
    assert (rate.value, rate.low, rate.high, rate.n) == (0.75, 0.0, 1.0, 4)


def gallery() -> Gallery:
    """One student with three photos and their flips, one with photos unlike the probe."""
    half: FloatArray = np.eye(6, dtype=np.float32)[[0, 1, 2, 3, 3, 3]]
    flips = np.eye(6, dtype=np.float32)[[4, 4, 4, 3, 3, 3]]
    owners = np.array([0, 0, 0, 1, 1, 1] * 2)
    return Gallery("m", (7, 9), np.concatenate([half, flips]), owners)


@pytest.mark.parametrize(
    ("rule", "expected", "reason"),
    [
        ("best", 0.8, "the flip is the most alike template"),
        ("best, no flips", 0.6, "the first photo is the most alike one"),
        ("mean of the best two", 0.8, "two flips are equally alike"),
        ("mean embedding", 3.0 / np.sqrt(12), "(1, 1, 1, 0, 3, 0) against (.6, 0, 0, 0, .8, 0)"),
    ],
)
def test_template_rules(rule: str, expected: float, reason: str) -> None:
    probe = np.array([[0.6, 0, 0, 0, 0.8, 0]], np.float32)
    row = TEMPLATE_RULES[rule](probe, gallery())[0]
    assert row.tolist() == pytest.approx([expected, 0.0], abs=1e-6), reason


def test_every_place_of_the_options_is_a_scene() -> None:
    assert {place.value for place in Place} == set(SCENES)
