"""The demo as a whole: it passes as scripted, and notices when it should not."""

import json
import subprocess
import sys

import pytest

from attendance.demo.script import draw

PEOPLE = ["ann", "bob", "cho", "dan", "eve"]


def hold_demo(*words: str) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "attendance", "demo", "--headless", "--json", "-", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timeout(900)
def test_demo_ends_as_scripted() -> None:
    code, figures = hold_demo("--seed", "1")
    assert figures["wrong"] == []
    assert figures["missed_events"] == []
    expected = figures["expected"]
    assert isinstance(expected, dict)
    assert {status: figures[status] for status in expected} == expected
    assert figures["ok"] is True
    assert code == 0


@pytest.mark.timeout(900)
def test_demo_with_a_wrong_gallery_does_not_pass() -> None:
    """Everybody is enrolled under somebody else's name: a check that could not fail is none."""
    code, figures = hold_demo("--seed", "1", "--wrong-gallery")
    assert figures["ok"] is False
    assert figures["wrong"] != []
    assert code == 1


@pytest.mark.parametrize("seed", range(40))
def test_script_is_drawn_alike_and_makes_sense(seed: int) -> None:
    photos = dict.fromkeys([*PEOPLE, "extra"], 3)
    script = draw(seed, PEOPLE, "extra", photos)
    assert script == draw(seed, PEOPLE, "extra", photos)
    assert script.stranger not in script.enrolled
    assert script.absent
    assert script.present
    assert len(script.late) == 1
    assert not {visit.person for visit in script.visits} & script.absent
    for visit in script.visits:
        others = [v for v in script.visits_at(visit.start_s) if v is not visit]
        assert visit.lane not in {other.lane for other in others}


def test_seeds_differ() -> None:
    photos = dict.fromkeys([*PEOPLE, "extra"], 3)
    assert len({draw(seed, PEOPLE, "extra", photos).visits for seed in range(10)}) == 10
