"""Clips replayed before rosters of every size, with and without what the camera showed before."""

from datetime import timedelta

import numpy as np
import pytest

from attendance.core.domain import Look
from attendance.core.evidence import DecisionRules
from attendance.evaluation.camera_looks import ClipLooks
from attendance.evaluation.clip_trials import run_trials
from attendance.vision.embedder import unit_rows
from tests.fakes import NINE

DIMENSION = 64
RULES = DecisionRules(0.5, 0.4, 0.0, 3, 0.5, 0.2, 2.0)


def clips(light, people=4, each=2, seed=0):
    """Clips of eight looks: a person, the light of the room, some noise."""
    rng = np.random.default_rng(seed)
    faces = unit_rows(rng.normal(size=(people, DIMENSION)).astype(np.float32))
    shared = light * unit_rows(rng.normal(size=(1, DIMENSION)).astype(np.float32))
    return [
        ClipLooks(f"clip {person}.{n}", f"P{person}", looks_of(face + shared, rng), ())
        for person, face in enumerate(faces)
        for n in range(each)
    ]


def looks_of(face, rng):
    rows = unit_rows(face + 0.05 * rng.normal(size=(8, DIMENSION)).astype(np.float32))
    return tuple(Look(n / 4, NINE + timedelta(seconds=n / 4), r, 1.0) for n, r in enumerate(rows))


def outcomes(light, orders=1):
    trials = run_trials(clips(light), lambda size, cohort: RULES, "m", range(orders))
    return {(o.roster, o.knows_camera, o.order): o for o in trials}


@pytest.fixture(scope="module")
def dim():
    return outcomes(light=1.4)


def test_all_rosters_are_played_with_and_without_the_camera_known(dim):
    assert {key[0] for key in dim} == {2, 3, 4}
    assert len(dim) == 3 * 2
    assert dim[4, False, 0].n_strangers == 0
    assert dim[4, False, 0].n_enrolled == 2 * (8 - 4)


def test_knowing_the_camera_keeps_strangers_from_a_name(dim):
    named = {
        knows: np.mean(
            [o.strangers["wrong"] for (r, k, _), o in dim.items() if r == 2 and k is knows]
        )
        for knows in (False, True)
    }
    assert named[False] > 0.2
    assert named[True] < named[False] / 2


def test_in_good_light_everybody_is_named_and_no_stranger_is():
    for outcome in outcomes(light=0.0).values():
        assert outcome.enrolled["right"] == 1.0
        assert outcome.n_strangers == 0 or outcome.strangers["wrong"] == 0.0
