"""What a start must not load: no torch where a class runs, nothing heavy for `--help`."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from attendance.bootstrap import School, utc_now
from attendance.config import Config
from attendance.core.domain import CameraState, SessionState
from tests.fakes import until
from tests.integration.test_cli import write_lesson

TRAP = """
import os, sys, traceback
class Trap:
    def find_spec(self, name, path=None, target=None):
        if name in {"torch", "torchvision", "facenet_pytorch", "openvino_telemetry"}:
            with open(os.environ["TRAPPED"], "a") as file:
                file.write(f"{name} in {sys.argv}\\n" + "".join(traceback.format_stack(limit=12)))
sys.meta_path.insert(0, Trap())
"""
HEAVY = {
    *("alembic", "cv2", "facenet_pytorch", "flask", "matplotlib", "numpy", "openvino", "pydantic"),
    *("scipy", "sqlalchemy", "torch", "torchvision"),
}


def loaded_by(program: str) -> set[str]:
    """Packages that a program has imported when it ends."""
    told = "; import json, sys; print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    run = subprocess.run(
        [sys.executable, "-c", program + told], capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.fixture
def trapped(tmp_path, monkeypatch):
    """Every process started from here notes who imports torch, whoever started it."""
    (tmp_path / "sitecustomize.py").write_text(TRAP)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("TRAPPED", str(tmp_path / "trapped"))
    caught = tmp_path / "trapped"

    def read() -> str:
        return caught.read_text() if caught.exists() else ""

    return read


@pytest.fixture
def home(tmp_path) -> Path:
    """A school with a course and a student."""
    school = School(tmp_path / "home", Config())
    student = school.registry.add_student("S1", "Eileen")
    course = school.sessions.add_course("SPACE", "Space")
    school.sessions.add_to_roster(course.id, [student.id])
    school.close()
    write_lesson(tmp_path / "lesson.avi", seconds=2)
    return tmp_path / "home"


def command(home: Path, *words: object) -> list[str]:
    return [sys.executable, "-m", "attendance", "--home", str(home), *map(str, words)]


def test_help_imports_nothing_heavy():
    """It is what people try first; a second of imports is a second before the first word."""
    program = "from attendance.__main__ import app; app(['--help'], standalone_mode=False)"
    assert loaded_by(program) & HEAVY == set()


def test_help_of_a_group_imports_nothing_heavy():
    program = (
        "from attendance.__main__ import app; app(['session', '--help'], standalone_mode=False)"
    )
    typers_own = {"pydantic"}  # it reads the options of the command above by it
    assert loaded_by(program) & (HEAVY - typers_own) == set()


def test_a_database_that_is_up_to_date_is_opened_without_alembic(home):
    program = (
        "from pathlib import Path; from attendance.db.engine import open_database; "
        f"open_database(Path({str(home)!r})).dispose()"
    )
    assert "alembic" not in loaded_by(program)


def test_the_trap_is_set_in_processes_of_processes(trapped):
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import torch'])"
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert "torch in " in trapped()


def test_a_session_on_the_command_line_never_imports_torch(home, trapped):
    """The command, the process camera processes come from, and the camera process itself."""
    lesson = home.parent / "lesson.avi"
    done = subprocess.run(
        command(home, "session", "start", "--course", "SPACE", "--camera", lesson),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "camera live" in done.stdout + done.stderr
    assert trapped() == ""


def test_a_server_with_a_session_never_imports_torch(home, trapped):
    server = subprocess.Popen(command(home, "run", "--port", "0", "--no-browser"))
    card = home / "run" / "server.json"
    school = School(home, Config())
    try:
        until(card.exists, 90)
        url = json.loads(card.read_text())["url"]
        with urllib.request.urlopen(url) as page:
            assert page.status == 200
        session = school.sessions.open(
            school.sessions.find_course("SPACE").id,
            school.sessions.camera(str(home.parent / "lesson.avi")).id,
            at=utc_now(),
            model_id=school.model_id,
            rules=school.rules(),
        )
        until(lambda: school.sessions.get(session.id).camera_state is CameraState.ENDED, 90)
        assert school.sessions.get(session.id).state is SessionState.OPEN
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        school.close()
    assert trapped() == ""


def test_the_demo_never_imports_torch():
    loaded = loaded_by("import attendance.demo.run, attendance.demo.witness, web.server")
    assert loaded & {"torch", "torchvision", "facenet_pytorch"} == set()
