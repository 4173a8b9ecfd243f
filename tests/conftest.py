"""What every test may rely on: no settings or key from outside, laws tried on few examples."""

import os

import pytest
from hypothesis import settings

settings.register_profile("short", max_examples=25, deadline=None)
settings.register_profile("long", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch):
    """The settings of whoever runs the tests are not the tests' settings."""
    for name in [name for name in os.environ if name.startswith("ATTENDANCE_")]:
        if name != "ATTENDANCE_DATA":
            monkeypatch.delenv(name)


MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture
def measured(request):
    """Notes a time that was measured; all of them stand at the end of the run."""
    notes = request.config.stash.setdefault(MEASURED, [])

    def note(what: str, seconds: float) -> None:
        notes.append(f"{seconds:6.2f} s  {what}")

    return note


def pytest_terminal_summary(terminalreporter, config):
    notes = config.stash.get(MEASURED, [])
    if notes:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(notes))
