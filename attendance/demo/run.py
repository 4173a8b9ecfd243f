"""The demo from set-up to register: the real server, camera process, database and dashboard."""

from __future__ import annotations

import tempfile
import time
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import platformdirs
from rich.console import Console
from rich.progress import track
from rich.table import Table

from attendance.bootstrap import School, utc_now
from attendance.config import Config
from attendance.core.domain import CameraState, Image, Pose, Status
from attendance.core.errors import AttendanceError
from attendance.demo import classroom
from attendance.demo.sample_class import ASTRONAUT, NAMES, astronaut, sample_photos
from attendance.demo.script import DURATION_S, FPS, LATE_AFTER_S, Script, draw
from attendance.demo.witness import Dashboard, Witness
from attendance.service import Service
from attendance.sessions import ClassSession
from enroll.admission import Applicant, admit
from enroll.enrollment import Enroller

COURSE = "DEMO"
GIVE_UP_S = DURATION_S * 4
SAMPLE_FACE_PX = 60


@dataclass(frozen=True)
class Cast:
    """The sample class, looked at.

    Attributes:
        training: five enrolment photos of each person.
        heads: the others, ready to be drawn.
    """

    training: dict[str, dict[Pose, bytes]]
    heads: dict[str, list[classroom.Portrait]]


def run_demo(
    config: Config,
    seed: int,
    *,
    is_headless: bool,
    json_figures: dict[str, Any],
    gallery_shift: int = 0,
) -> bool:
    """Hold the demo's class in a folder of its own.

    Args:
        config: the school's settings; only the late limit and the photo size differ.
        seed: of the script.
        is_headless: end after the register, without a browser.
        json_figures: filled with the figures of `--json`.
        gallery_shift: enrol everybody under the name of somebody so many places on: a wrong
            gallery, to see that the demo notices.

    Returns:
        Whether the register came out as scripted.
    """
    screen = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="attendance-demo-") as folder:
        home = Path(folder) / "home"
        school = School(home, _demo_config(config))
        try:
            with screen.status("Meeting the sample class (the first time, pip brings it)"):
                cast = _cast(school)
            photos = {person: len(heads) for person, heads in cast.heads.items()}
            script = draw(seed, list(NAMES), ASTRONAUT, photos)
            numbers = _enroll(school, script, cast, gallery_shift)
            video = Path(folder) / "classroom.mp4"
            _film(script, cast, video)
            figures = _hold_class(school, script, numbers, video, is_headless=is_headless)
        finally:
            school.close()
    json_figures.update(figures)
    _show(script, figures, screen)
    return bool(figures["ok"])


def _demo_config(config: Config) -> Config:
    session = config.session.model_copy(update={"late_after_min": LATE_AFTER_S / 60})
    photos = config.enrollment.model_copy(update={"min_face_px": SAMPLE_FACE_PX})
    return config.model_copy(update={"session": session, "enrollment": photos})


def _cast(school: School) -> Cast:
    """Who has which photos: the first five that enrolment takes, and all others with a face."""
    cache = Path(platformdirs.user_cache_dir("attendance", appauthor=False))
    enroller = _enroller(school)
    training: dict[str, dict[Pose, bytes]] = {}
    heads: dict[str, list[classroom.Portrait]] = {}
    for person, paths in sample_photos(cache).items():
        good = (path for path in paths if enroller.check(Pose.FRONT, path.read_bytes()).ok)
        chosen = dict(zip(Pose, good, strict=False))
        training[person] = {pose: path.read_bytes() for pose, path in chosen.items()}
        others = [path for path in paths if path not in chosen.values()]
        heads[person] = list(_heads(school, (_picture(path) for path in others)))
    heads[ASTRONAUT] = list(_heads(school, iter([astronaut()])))
    return Cast(training, heads)


def _enroller(school: School) -> Enroller:
    detector, embedders = school.detector(), school.embedders()
    return Enroller(detector, embedders, school.registry, school.config.enrollment)


def _picture(path: Path) -> Image:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)


def _heads(school: School, pictures: Iterator[Image]) -> Iterator[classroom.Portrait]:
    for picture in pictures:
        head = classroom.portrait(picture, school.detector())
        if head is not None:
            yield head


def _enroll(school: School, script: Script, cast: Cast, gallery_shift: int) -> dict[str, str]:
    """Enrol the roster like everybody else. Returns: student number by person."""
    enroller = _enroller(school)
    numbers = {person: f"2026{i:04d}" for i, person in enumerate(script.enrolled, start=1)}
    students = []
    for i, person in enumerate(track(script.enrolled, "Enrolling", console=Console(stderr=True))):
        shown = script.enrolled[(i + gallery_shift) % len(script.enrolled)]
        applicant = Applicant(numbers[person], NAMES[person])
        photos = cast.training[shown]
        student, _ = admit(enroller, school.registry, applicant, photos, at=utc_now())
        students.append(student.id)
    course = school.sessions.add_course(COURSE, "Demonstration class")
    school.sessions.add_to_roster(course.id, students)
    return numbers


def _film(script: Script, cast: Cast, path: Path) -> None:
    total = int(DURATION_S * FPS)
    images = classroom.frames(script, cast.heads)
    screen = Console(stderr=True)
    shown = track(images, "Drawing the classroom", total=total, console=screen)
    classroom.write_video(iter(shown), path)


def _hold_class(
    school: School, script: Script, numbers: dict[str, str], video: Path, *, is_headless: bool
) -> dict[str, Any]:
    with Service(
        school.home, school.config, 0 if is_headless else school.config.web.port
    ) as service:
        session = _open_class(school, video)
        service.step()
        by_number = {number: person for person, number in numbers.items()}
        names = {student.id: by_number[student.number] for student in school.registry.students()}
        if not is_headless:
            webbrowser.open(f"{service.url}/sessions/{session.id}")
        dashboard = Dashboard(service.url, session.id)
        witness = Witness(school.home, session.id, script, names)
        _play(school, service, session, witness)
        lease = school.sessions.lease(session.id)
        unknown_faces = lease.pulse.unknown_faces if lease else 0
        school.sessions.close(session.id, at=utc_now(), by="demo")
        figures = _figures(school, session, script, numbers, witness)
        figures["unknown_faces"] = unknown_faces
        figures["missed_events"] = _missed(school, session, dashboard, service)
        figures["ok"] = figures["ok"] and unknown_faces > 0 and not figures["missed_events"]
        dashboard.close()
        if not is_headless:
            _stay(service)
    return figures


def _open_class(school: School, video: Path) -> ClassSession:
    course = school.sessions.find_course(COURSE)
    camera = school.sessions.camera(str(video), "Sample classroom")
    return school.sessions.open(
        course.id,
        camera.id,
        at=utc_now(),
        model_id=school.model_id,
        rules=school.rules(course, camera.id),
        by="demo",
    )


def _play(school: School, service: Service, session: ClassSession, witness: Witness) -> None:
    """Let the class happen until its video is over."""
    began = time.monotonic()
    while school.sessions.get(session.id).camera_state is not CameraState.ENDED:
        service.step()
        witness.look()
        if time.monotonic() - began > GIVE_UP_S:
            raise AttendanceError("the demo's class did not end; is the machine very busy?")
    ended = time.monotonic()
    while time.monotonic() - ended < school.config.tracking.lost_after_s + 1.0:
        service.step()
        witness.look()


def _missed(
    school: School, session: ClassSession, dashboard: Dashboard, service: Service
) -> list[int]:
    """Event numbers that the dashboard was not told within two seconds of the close."""
    last = school.sessions.get(session.id).last_event
    until = time.monotonic() + 2.0
    while dashboard.missed(last) and time.monotonic() < until:
        service.step()
        time.sleep(0.05)
    return dashboard.missed(last)


def _stay(service: Service) -> None:
    """Keep the pages up until Ctrl-C."""
    Console(stderr=True).print(f"The register is at {service.url}. Ctrl-C ends the demo.")
    try:
        while True:
            service.step()
            time.sleep(0.1)
    except KeyboardInterrupt:
        return


def _figures(
    school: School,
    session: ClassSession,
    script: Script,
    numbers: dict[str, str],
    witness: Witness,
) -> dict[str, Any]:
    """The register that came out beside the one that was scripted."""
    rows = school.sessions.register(session.id)
    came_out = {
        status.value: sorted(row.number for row in rows if row.status is status)
        for status in (Status.PRESENT, Status.LATE, Status.ABSENT)
    }
    scripted = {
        "present": sorted(numbers[person] for person in script.present),
        "late": sorted(numbers[person] for person in script.late),
        "absent": sorted(numbers[person] for person in script.absent),
    }
    closed = school.sessions.get(session.id)
    window_s = closed.closed_at - closed.opened_at if closed.closed_at else timedelta(0)
    never_came = {numbers[person] for person in script.absent}
    marked = set(came_out["present"] + came_out["late"])
    wrong = sorted({numbers[person] for person in witness.wrong} | (marked & never_came))
    review = sorted(row.number for row in rows if row.in_review)
    return {
        **came_out,
        "review": review,
        "wrong": wrong,
        "expected": scripted,
        "stranger": script.stranger,
        "covered_s": round(closed.covered_s, 1),
        "window_s": round(window_s.total_seconds(), 1),
        "seed": script.seed,
        "ok": came_out == scripted and not wrong,
    }


def _show(script: Script, figures: dict[str, Any], screen: Console) -> None:
    table = Table("", "scripted", "came out", title=f"Demo class, seed {script.seed}")
    for status, expected in figures["expected"].items():
        table.add_row(status, " ".join(expected) or "-", " ".join(figures[status]) or "-")
    table.add_row("please check", "", " ".join(figures["review"]) or "-")
    table.add_row("unknown faces", "1 or more", str(figures["unknown_faces"]))
    share = f"{figures['covered_s']} of {figures['window_s']} s"
    table.add_row("camera looked", "80 % or more", share)
    table.add_row("wrong names", "-", " ".join(figures["wrong"]) or "-")
    screen.print(table)
    verdict = "As scripted." if figures["ok"] else "NOT as scripted."
    screen.print(verdict, style="green" if figures["ok"] else "red")
