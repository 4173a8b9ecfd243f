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
