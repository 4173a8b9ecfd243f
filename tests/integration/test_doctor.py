"""`attendance doctor` finds what keeps a school from running, names a remedy, changes nothing."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from attendance.__main__ import app
from attendance.bootstrap import School
from attendance.cli.checkup import check_all, check_disk
from attendance.config import Config, EmbedderConfig


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A school that has run once."""
    folder = tmp_path / "school"
    school = School(folder, Config())
    assert school.vault
    school.close()
    return folder


def problems(home: Path) -> dict[str, str]:
    findings = check_all(home, EmbedderConfig(device="cpu"))
    assert all(finding.remedy for finding in findings if finding.state == "problem")
    return {one.what: one.says + " " + one.remedy for one in findings if one.state == "problem"}


def test_a_healthy_home(home: Path) -> None:
    result = CliRunner().invoke(app, ["--home", str(home), "doctor", "--json", "-"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["ok"] is True
    says = {finding["what"]: finding["says"] for finding in report["findings"]}
    assert "FP32" in says["engine"]
    assert "int8 is not built: run `attendance models quantize`" in says["int8"]
    assert "file verified" in says["embedder"]
    assert says["database"].startswith("sound, revision")


def test_looking_at_a_home_that_is_not_there_does_not_make_it(tmp_path: Path) -> None:
    home = tmp_path / "none"
    assert problems(home) == {}
    assert not home.exists()


def open_to_others(home: Path) -> None:
    home.chmod(0o755)


def key_open_to_others(home: Path) -> None:
    (home / "master.key").chmod(0o644)


def key_lost(home: Path) -> None:
    (home / "master.key").unlink()


def database_overwritten(home: Path) -> None:
    (home / "attendance.db").write_bytes(b"no database" * 500)


def database_of_the_future(home: Path) -> None:
    with sqlite3.connect(home / "attendance.db") as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    file.close()


def database_damaged(home: Path) -> None:
    """The last page, where no header tells of it."""
    file = home / "attendance.db"
    content = bytearray(file.read_bytes())
    content[-4096:] = b"\xa5" * 4096
    file.write_bytes(content)


def unknown_weights(home: Path) -> None:
    (home / "models").mkdir(exist_ok=True)
    (home / "models" / "active").write_text("never-heard-of\n")


@pytest.mark.parametrize(
    ("damage", "what", "remedy"),
    [
        (open_to_others, "home", "chmod 700"),
        (key_open_to_others, "key", "chmod 600"),
        (key_lost, "key", "from your backup"),
        (database_overwritten, "database", "from your backup"),
        (database_of_the_future, "database", "upgrade this program"),
        (database_damaged, "database", "from your backup"),
        (unknown_weights, "embedder", "models fetch never-heard-of"),
    ],
)
def test_an_unhealthy_home(
    home: Path, damage: Callable[[Path], None], what: str, remedy: str
) -> None:
    damage(home)
    found = problems(home)
    assert list(found) == [what]
    assert remedy in found[what]
    result = CliRunner().invoke(app, ["--home", str(home), "doctor"])
    assert result.exit_code == 1


def test_a_full_disk(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attendance.cli.checkup.LEAST_FREE_MB", 10**12)
    assert check_disk(home).state == "problem"


def test_a_gpu_that_is_asked_for_and_not_there(home: Path) -> None:
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("there is a GPU on this machine")
    findings = check_all(home, EmbedderConfig(device="gpu"))
    (gpu,) = (finding for finding in findings if finding.what == "GPU")
    assert (gpu.state, gpu.remedy) == ("problem", "set embedder.device to auto")
