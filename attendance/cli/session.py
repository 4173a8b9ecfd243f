"""`attendance session`: the instructor's job without a browser."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from attendance.cli.context import Context, JsonOption, console, write_json
from attendance.core.errors import CameraError, SessionError

if TYPE_CHECKING:
    from attendance.bootstrap import School
    from attendance.sessions import Camera, ClassSession, Course, Event, RegisterRow
    from attendance.supervisor import Spawner

app = typer.Typer(no_args_is_help=True, help="Class sessions and their registers.")

SessionArgument = Annotated[int | None, typer.Argument(help="Its number; the newest by default.")]


@app.command("start")
def start(
    context: typer.Context,
    course: Annotated[str, typer.Option(help="The code of the course.")],
    camera: Annotated[str | None, typer.Option(help="Number, URL, video file or folder.")] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Play a recording as fast as it goes.")
    ] = False,
    json_target: JsonOption = None,
) -> None:
    """Start a session; without a server it runs here, with a line per arrival.

    A recording closes its session at its end. Ctrl-C stops watching and leaves the session open.
    """
    from attendance.service import running_server
    from attendance.supervisor import Spawner

    own: Context = context.obj
    server = None if fast else running_server(own.home)
    spawner = Spawner(own.home, own.config)
    if server is None:
        spawner.prepare()
    with contextlib.closing(spawner), own.school() as school:
        screen = console(json_target)
        chosen = _choose(school, course, camera or own.config.camera.source, is_fast=fast)
        for line in _in_force_lines(school, *chosen):
            screen.print(line)
        session = _open(school, *chosen, is_fast=fast)
        screen.print(f"Session {session.id} of {course} is open.")
        if server is not None:
            screen.print(f"The server at {server} looks after its camera.")
        else:
            _watch(school, spawner, session, json_target)
            write_json(_register(school, session.id), json_target)


def _choose(school: School, course: str, source: str, *, is_fast: bool) -> tuple[Course, Camera]:
    from attendance.source import parse_source

    if is_fast and not parse_source(source).is_recorded:
        raise SessionError("--fast plays recordings; a live camera has its own pace")
    parse_source(source)
    school.models.path(school.models.active())
    return school.sessions.find_course(course), school.sessions.camera(source)


def _open(school: School, course: Course, camera: Camera, *, is_fast: bool) -> ClassSession:
    from attendance.bootstrap import utc_now

    return school.sessions.open(
        course.id,
        camera.id,
        at=utc_now(),
        model_id=school.model_id,
        rules=school.rules(course, camera.id),
        pace="fast" if is_fast else "live",
        by="command line",
    )


def _in_force_lines(school: School, course: Course, camera: Camera) -> Iterator[str]:
    """From what score on somebody is named, what to expect of it, and what to do about it."""
    found = school.in_force(course, camera.id)
    yield f"{found.threshold_words}. {found.expectation_words}. {found.cohort_words}."
    notices = school.calibrations.drift(course.id)
    yield from filter(None, [found.advice(course.code), *(notice.words for notice in notices)])


def _watch(
    school: School, spawner: Spawner, session: ClassSession, json_target: str | None
) -> None:
    """Be the supervisor of this one session until it is closed or its recording ends."""
    from attendance.core.domain import CameraState, SessionState
    from attendance.supervisor import STEP_S, Supervisor

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    supervisor = Supervisor(school, spawner, only=session.id)
    try:
        supervisor.step()
        teller = _Teller(school, session.id, json_target)
        while not stop.is_set():
            supervisor.step()
            teller.tell()
            current = school.sessions.get(session.id)
            if current.state in {SessionState.CLOSED, SessionState.NEEDS_INSTRUCTOR}:
                return
            if current.pace == "fast" and current.camera_state is CameraState.LOST:
                raise CameraError(f"session {session.id} stopped: {current.camera_detail}")
            if current.camera_state in {CameraState.ENDED, CameraState.STOPPED}:
                _close_recording(school, session.id)
                teller.tell()
                return
            stop.wait(STEP_S)
        console(json_target).print(
            f"Session {session.id} is still open: `attendance session close {session.id}` ends it."
        )
    finally:
        supervisor.close()


def _close_recording(school: School, session_id: int) -> None:
    """Close a session at its recording's last frame, in the recording's own time."""
    from attendance.bootstrap import utc_now

    session = school.sessions.get(session_id)
    is_fast = session.pace == "fast"
    played = session.opened_at + timedelta(seconds=session.covered_s)
    school.sessions.close(session_id, at=played if is_fast else utc_now(), by="command line")


class _Teller:
    """Prints each event once."""

    def __init__(self, school: School, session_id: int, json_target: str | None) -> None:
        self._school = school
        self._session_id = session_id
        self._screen = console(json_target)
        self._told = 0
        ids = [row.student_id for row in school.sessions.register(session_id)]
        self._people = school.registry.student_names(ids)

    def tell(self) -> None:
        """Print what happened since the last time."""
        for event in self._school.sessions.events_after(self._session_id, self._told):
            self._told = event.number
            self._screen.print(self._line(event))

    def _line(self, event: Event) -> str:
        person = self._people.get(event.student_id) if event.student_id else None
        about = f" {person.number} {person.name}" if person else ""
        words = {
            "arrival": f"{event.payload.get('status')}{about}",
            "review": f"please check{about}",
            "camera": f"camera {event.payload.get('state')} {event.payload.get('detail', '')}",
            "look_again": "looking again for small faces",
            "looked_again": f"looked again: {event.payload.get('faces')} more faces found",
            "doubted": f"later looks speak against{about}",
            "confirmed": f"seen again for certain{about}",
        }
        return f"{event.at:%H:%M:%S}  {words.get(event.kind, event.kind + about)}"


@app.command("status")
def status(
    context: typer.Context, session: SessionArgument = None, json_target: JsonOption = None
) -> None:
    """Show the register of a session."""
    own: Context = context.obj
    with own.school() as school:
        session_id = _chosen(school, session)
        figures = _register(school, session_id)
        screen = console(json_target)
        screen.print(_table(figures))
        for line in _camera_lines(figures):
            screen.print(line)
    write_json(figures, json_target)


@app.command("look-again")
def look_again(
    context: typer.Context, session: SessionArgument = None, json_target: JsonOption = None
) -> None:
    """Look once more for small faces, such as the back row's; the live view goes on meanwhile."""
    from attendance.bootstrap import utc_now

    own: Context = context.obj
    with own.school() as school:
        session_id = _chosen(school, session)
        school.sessions.look_again(session_id, at=utc_now(), by="command line")
    console(json_target).print(
        f"Session {session_id} looks again; `attendance session status {session_id}` and every "
        "screen say when it is done."
    )
    write_json({"session": session_id, "looks_again": True}, json_target)


@app.command("why")
def why(
    context: typer.Context,
    student_no: Annotated[str, typer.Argument()],
    session: SessionArgument = None,
    json_target: JsonOption = None,
) -> None:
    """Say in words what a student's status rests on, with the looks and who decided what when."""
    from attendance.bootstrap import utc_now
    from attendance.cli.why import why_figures, why_table

    own: Context = context.obj
    with own.school() as school:
        session_id = _chosen(school, session)
        student = school.registry.find_student(student_no)
        answer = school.sessions.why(session_id, student.id, at=utc_now())
    screen, figures = console(json_target), why_figures(student, answer)
    status = "please check" if answer.in_review else figures["status"] or "not yet"
    screen.print(f"{student.number} {student.name}, session {session_id}: {status}")
    for sentence in figures["sentences"]:
        screen.print(sentence)
    if answer.evidence:
        screen.print(why_table(answer))
    zone = ZoneInfo(answer.session.course.timezone)
    for event in answer.events:
        screen.print(f"{event.at.astimezone(zone):%H:%M:%S}  {event.kind}")
    write_json(figures, json_target)


@app.command("close")
def close(
    context: typer.Context,
    session: SessionArgument = None,
    absent: Annotated[
        bool, typer.Option("--confirm-absent", help="Where the camera looked too little.")
    ] = False,
    json_target: JsonOption = None,
) -> None:
    """Close a session: whoever was not seen is absent, if the camera did look."""
    from attendance.bootstrap import utc_now
    from attendance.core.domain import SessionState

    own: Context = context.obj
    with own.school() as school:
        session_id = _chosen(school, session)
        if school.sessions.get(session_id).state is not SessionState.NEEDS_INSTRUCTOR:
            school.sessions.close(session_id, at=utc_now(), by="command line")
        state = school.sessions.get(session_id).state
        if state is SessionState.NEEDS_INSTRUCTOR and absent:
            school.sessions.settle(session_id, at=utc_now(), by="command line")
        elif state is SessionState.NEEDS_INSTRUCTOR:
            console(json_target).print(
                "The camera looked for too little of this session to call anybody absent: "
                "correct the register, or close it again with --confirm-absent."
            )
        figures = _register(school, session_id)
        console(json_target).print(_table(figures))
    write_json(figures, json_target)


def _chosen(school: School, session_id: int | None) -> int:
    if session_id is not None:
        return school.sessions.get(session_id).id
    recent = school.sessions.recent(1)
    if not recent:
        raise SessionError("there is no session yet: `attendance session start --course CODE`")
    return recent[0].id


def _register(school: School, session_id: int) -> dict[str, Any]:
    session = school.sessions.get(session_id)
    rows = school.sessions.register(session_id)
    lease = school.sessions.lease(session_id)
    pulse = lease.pulse if lease else None
    return {
        "session": session_id,
        "course": session.course.code,
        "state": session.state.value,
        "camera": session.camera_state.value,
        "opened_at": session.opened_at.isoformat(),
        "closed_at": session.closed_at.isoformat() if session.closed_at else None,
        "covered_s": round(session.covered_s, 1),
        "threshold": session.rules.thresholds.get("threshold"),
        "operating_point": session.rules.operating_point,
        "cohort_version": session.rules.cohort_version,
        "unknown_faces": pulse.unknown_faces if pulse else None,
        "fps": round(pulse.fps, 1) if pulse else None,
        "skipped": round(pulse.skipped, 4) if pulse else None,
        "looks_again": session.look_again_at is not None,
        **_reach(school, pulse.width_px if pulse else 0),
        "rows": [_row(row) for row in rows],
    }


def _reach(school: School, width_px: int) -> dict[str, Any]:
    """How far faces are recognised, from the pictures' width as it arrives or is configured."""
    from attendance.core.optics import reach_m

    config = school.config
    least_px, view_deg = config.detector.min_face_px, config.camera.view_deg
    width_px = width_px or config.camera.width
    return {
        "width_px": width_px,
        "view_deg": view_deg,
        "min_face_px": least_px,
        "reach_m": round(reach_m(least_px, width_px, view_deg), 2),
        "sweep_reach_m": round(reach_m(least_px / 2, width_px, view_deg), 2),
    }


def _camera_lines(figures: dict[str, Any]) -> Iterator[str]:
    """The camera in words, while one is being read."""
    if figures["fps"] is None:
        return
    yield (
        f"Camera {figures['camera']}: {figures['fps']:.0f} pictures a second, "
        f"{math.ceil(figures['skipped'] * 100 - 1e-9)} % of frames skipped in the last minute, "
        f"{figures['unknown_faces']} unknown faces seen."
    )
    yield (
        f"Faces down to {figures['min_face_px']} px: recognised up to about "
        f"{figures['reach_m']:.1f} m from this camera ({figures['view_deg']:.0f}° view, "
        f"{figures['width_px']} px wide); looking again reaches {figures['sweep_reach_m']:.1f} m."
    )
    if figures["looks_again"]:
        yield "Looking again for small faces."


def _row(row: RegisterRow) -> dict[str, Any]:
    return {
        "student_no": row.number,
        "name": row.name,
        "status": row.status.value if row.status else None,
        "source": row.source.value if row.source else None,
        "in_review": row.in_review,
        "first_seen": row.first_seen.isoformat() if row.first_seen else None,
        "last_seen": row.last_seen.isoformat() if row.last_seen else None,
        "similarity": row.similarity,
        "score": row.score,
        "note": row.note,
    }


def _table(figures: dict[str, Any]) -> Table:
    title = f"Session {figures['session']}, {figures['course']}: {figures['state']}"
    table = Table("student no", "name", "status", "by", "first seen", title=title)
    for row in figures["rows"]:
        shown = "please check" if row["in_review"] else row["status"] or "not yet"
        seen = (row["first_seen"] or "")[11:19]
        table.add_row(row["student_no"], row["name"], shown, row["source"] or "", seen)
    return table
