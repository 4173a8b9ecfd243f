"""The command line as its users meet it: real processes, a real school, real faces."""

import csv
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

FPS = 10


class CommandLine:
    """Runs commands for one school."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "attendance", "--home", str(self.home)]
        return subprocess.run(
            [*command, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def ok(self, *words: object) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *words: object) -> str:
        """One sentence on the error stream, exit code 1, and never a traceback."""
        done = self.run(*words)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("error: "), done.stderr
        return done.stderr


def face(shade: float = 1.0) -> np.ndarray:
    return np.asarray(astronaut()[:, :, ::-1] * shade, np.uint8)


def write_photos(folder: Path) -> list[Path]:
    paths = [folder / f"{i}.png" for i in range(5)]
    for path, shade in zip(paths, (1.0, 0.95, 0.9, 0.85, 0.8), strict=True):
        cv2.imwrite(str(path), face(shade))
    return paths


def write_lesson(path: Path, seconds: int = 4) -> None:
    """The astronaut moving slowly before a wall."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (640, 480))
    for i in range(seconds * FPS):
        image = np.full((480, 640, 3), 160, np.uint8)
        x = 60 + i % 150
        image[60:460, x : x + 400] = cv2.resize(face(), (400, 400))
        writer.write(image)
    writer.release()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def school(folder: Path) -> CommandLine:
    """A school with one enrolled student of two in a course, and a lesson on video."""
    line = CommandLine(folder / "home")
    write_lesson(folder / "lesson.avi")
    line.ok("course", "add", "CS1", "--name", "컴퓨터 비전", "--timezone", "Asia/Seoul")
    photos = write_photos(folder)
    line.ok("enroll", "S1", "--name", "김민준", "--course", "CS1", "--consent", *photos)
    return line


def test_lesson_from_start_to_export(school: CommandLine, folder: Path) -> None:
    out = folder / "register.json"
    told = school.ok(
        "session", "start", "--course", "CS1", "--camera", folder / "lesson.avi", "--fast",
        "--json", out,
    )  # fmt: skip
    assert "present S1 김민준" in told
    register = json.loads(out.read_text(encoding="utf-8"))
    assert register["state"] == "closed"
    assert [(row["student_no"], row["status"], row["source"]) for row in register["rows"]] == [
        ("S1", "present", "auto")
    ]
    reasons = json.loads(school.ok("session", "why", "S1", "--json", "-"))
    assert len(reasons["evidence"]) >= 3
    assert reasons["sentences"][0].startswith("Seen ")
    assert "nobody else to confuse with" in reasons["sentences"][0]
    assert reasons["looks"] >= len(reasons["evidence"])
    assert all(look["has_crop"] for look in reasons["evidence"])
    assert all(isinstance(look["flaw"], str) for look in reasons["evidence"])
    assert reasons["similarity"] > reasons["needed_similarity"]
    assert "% is needed" in school.ok("session", "why", "S1")
    school.ok("export", "--course", "CS1", "-o", folder / "log.csv")
    with (folder / "log.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["student_no"], row["name"], row["status"]) for row in rows] == [
        ("S1", "김민준", "present")
    ]
    assert next(iter(rows[0])) == "course_code"
    assert "+09:00" in rows[0]["opened_at"]
    assert "closed" in school.refused("session", "close")


def test_identify_says_percentages(school: CommandLine, folder: Path) -> None:
    cv2.imwrite(str(folder / "who.jpg"), face(0.9))
    found = json.loads(school.ok("identify", folder / "who.jpg", "--json", "-"))
    candidate = found["faces"][0]["candidates"][0]
    assert candidate["student_no"] == "S1"
    assert candidate["percent"] > 90
    assert set(found["faces"][0]) == {"box", "decision", "candidates"}


def test_models_are_listed_with_what_is_wrong(school: CommandLine) -> None:
    entries = {
        entry["name"]: entry for entry in json.loads(school.ok("models", "list", "--json", "-"))
    }
    assert entries["casia-webface"]["is_active"]
    assert entries["casia-webface"]["problem"] == ""
    assert "fetch vggface2" in entries["vggface2"]["problem"]
    assert "not installed" in school.refused("models", "use", "vggface2")


REFUSALS = [
    (
        "a photo that is text",
        ["identify", "text.jpg"],
        "not a photo",
    ),
    (
        "a photo that is not there",
        ["identify", "nowhere.jpg"],
        "nowhere.jpg cannot be read",
    ),
    (
        "fewer than five photos",
        ["enroll", "S2", "--name", "Lee", "--consent", "0.png", "1.png"],
        "five photos are needed",
    ),
    (
        "a student number that exists",
        ["enroll", "S1", "--name", "Lee", "--consent"] + [f"{i}.png" for i in range(5)],
        "S1",
    ),
    (
        "a photo without a face among the five",
        ["enroll", "S2", "--name", "Lee", "--consent", "wall.png"] + [f"{i}.png" for i in range(4)],
        "We found no face",
    ),
    (
        "a course without students",
        ["session", "start", "--course", "EMPTY", "--camera", "lesson.avi"],
        "EMPTY",
    ),
    (
        "a course that is not there",
        ["session", "start", "--course", "NO", "--camera", "lesson.avi"],
        "NO",
    ),
    (
        "a camera that is not there",
        ["session", "start", "--course", "CS1", "--camera", "gone.mp4"],
        "no camera 'gone.mp4'",
    ),
    (
        "a live camera played fast",
        ["session", "start", "--course", "CS1", "--camera", "0", "--fast"],
        "recordings",
    ),
    (
        "a session that is not there",
        ["session", "status", "4711"],
        "4711",
    ),
    (
        "a student who is not there",
        ["session", "why", "nobody"],
        "nobody",
    ),
    (
        "weights that are no weights",
        ["models", "fetch", "mine", "--file", "text.onnx"],
        "text.onnx",
    ),
]


@pytest.mark.parametrize(
    ("words", "said"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_refusal_is_one_sentence(
    school: CommandLine, folder: Path, words: list[str], said: str
) -> None:
    (folder / "text.jpg").write_text("not a photo at all " * 20, encoding="utf-8")
    (folder / "text.onnx").write_text("not weights at all", encoding="utf-8")
    cv2.imwrite(str(folder / "wall.png"), np.full((400, 400, 3), 150, np.uint8))
    if "EMPTY" in words:
        school.run("course", "add", "EMPTY", "--name", "Nobody yet")
    files = {path.name for path in folder.iterdir()} | {"nowhere.jpg"}
    assert said in school.refused(*(folder / word if word in files else word for word in words))


def test_config_with_an_unknown_key_names_the_line(school: CommandLine, folder: Path) -> None:
    config = folder / "bad.yaml"
    config.write_text("session:\n  late_after_min: 5\n  min_coverag: 0.5\n", encoding="utf-8")
    said = school.refused("--config", config, "session", "status")
    assert (
        f"{config}, line 3: unknown key 'session.min_coverag'; did you mean 'min_coverage'?" in said
    )


def test_busy_camera_is_refused_from_another_process(school: CommandLine, folder: Path) -> None:
    """The first one is started by a command that is killed, so its session stays open."""
    write_lesson(folder / "busy.avi", seconds=60)
    words = ["session", "start", "--course", "CS1", "--camera", folder / "busy.avi"]
    command = [sys.executable, "-m", "attendance", "--home", str(school.home), *map(str, words)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert any("is open" in line for line in first.stdout)
    try:
        assert "busy" in school.refused(*words).lower()
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    status = json.loads(school.ok("session", "status", "--json", "-"))
    assert status["state"] == "open"
    school.ok("session", "close")


def test_lost_key_is_said_and_no_new_one_is_made(school: CommandLine, folder: Path) -> None:
    key = school.home / "master.key"
    aside = folder / "master.key.aside"
    key.rename(aside)
    try:
        assert "key" in school.refused("identify", folder / "0.png")
        assert not key.exists()
    finally:
        aside.rename(key)


def test_database_of_a_newer_version_is_left_alone(school: CommandLine) -> None:
    database = sqlite3.connect(school.home / "attendance.db")
    (version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    database.execute("UPDATE alembic_version SET version_num = '9999_future'")
    database.commit()
    try:
        assert "newer" in school.refused("session", "status")
    finally:
        database.execute("UPDATE alembic_version SET version_num = ?", (version,))
        database.commit()
        database.close()


def test_erased_student_is_a_number_only(school: CommandLine, folder: Path) -> None:
    photos = sorted(folder.glob("[0-4].png"))
    school.ok("enroll", "S9", "--name", "이서연", "--consent", *photos)
    school.ok("erase", "S9", "--yes")
    assert "이서연" not in (school.home / "attendance.db").read_bytes().decode("utf-8", "ignore")
