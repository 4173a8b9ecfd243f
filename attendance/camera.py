"""A camera process: models, capture, preview, and a worker that joins them.

One process serves one open session. It takes the camera's lease, reads the newest frames, commits
what the pipeline reports, beats twice a second and does what the database wishes. It may be
killed at any moment: all that it knows and the database does not is the picture and the unknown
faces, which are not to outlive it.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from attendance.bootstrap import School, utc_now
from attendance.capture import Capture
from attendance.config import Config
from attendance.core.cohort import Cohort
from attendance.core.domain import CameraState
from attendance.core.errors import AttendanceError, CameraBusyError, SessionError, StorageError
from attendance.core.pipeline import Pipeline
from attendance.preview import PreviewServer
from attendance.sessions import ClassSession, process_token
from attendance.source import parse_source
from attendance.stream import frames_of, open_source
from attendance.worker import WAIT_S, Frames, RecordedFrames, Worker

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_BUSY = 3
EXIT_HUNG = 4

log = logging.getLogger(__name__)


def run_camera(home: Path, config: Config, told: int | Connection) -> int:
    """Serve one session until it is closed or paused; the body of a camera process.

    Args:
        home: the school's folder.
        config: the settings.
        told: the session, or where this process will be told it.

    Returns:
        One of the `EXIT_` codes.
    """
    stop = _stop_on_sigterm()
    school = School(home, config)
    school.begin_loading()
    gc.freeze()  # what is loaded stays: collections between frames need not look at it
    session_id = told if isinstance(told, int) else _wait_for(told, stop)
    if session_id is None:
        return EXIT_DONE
    owner = process_token()
    try:
        session = school.sessions.get(session_id)
        school.sessions.acquire_lease(session.camera.id, session_id, owner)
        try:
            return _serve(school, session, owner, stop)
        finally:
            school.sessions.release_lease(session.camera.id, owner)
    except CameraBusyError as error:
        log.warning("%s", error)
        return EXIT_BUSY
    except AttendanceError as error:
        log.error("session %s: %s", session_id, error)
        with contextlib.suppress(AttendanceError):
            _say(school, session_id, CameraState.LOST, str(error))
        return EXIT_FAILED
    finally:
        school.close()


def _wait_for(told: Connection, stop: threading.Event) -> int | None:
    """The session this process was started ahead of; None where it is not to be."""
    with told, contextlib.suppress(EOFError):
        while not stop.is_set() and not _is_orphan():
            if told.poll(WAIT_S):
                return int(told.recv())
    return None


def _serve(school: School, session: ClassSession, owner: str, stop: threading.Event) -> int:
    """The camera opens while the models load, and counts from when they can look at it."""
    config = school.config
    spec = parse_source(session.camera.source, config.camera.width, config.camera.height)
    if session.pace == "fast":
        pipeline = _pipeline(school, session)
        frames = RecordedFrames(frames_of(open_source(spec), session.opened_at))
        return _work(school, session, owner, pipeline, frames, stop)
    capture = Capture(
        lambda: open_source(spec),
        is_recorded=spec.is_recorded,
        stall_s=config.camera.stall_s,
        reopen_max_s=config.camera.reopen_max_s,
    )
    capture.open()
    with contextlib.closing(capture):
        pipeline = _pipeline(school, session)
        with capture:
            return _work(school, session, owner, pipeline, capture, stop)


def _pipeline(school: School, session: ClassSession) -> Pipeline:
    students = [row.student_id for row in school.sessions.register(session.id)]
    gallery = school.registry.gallery(students, session.model_id)
    cohort = _cohort(school, session, gallery.templates.shape[1])
    return school.live_pipeline(gallery, session.rules.thresholds, cohort)


def _cohort(school: School, session: ClassSession, dimension: int) -> Cohort | None:
    """What the camera had seen when the session was opened; None without anybody to compare with.

    It is the version that stands in the session's rules, not the newest one: whoever decides again
    later, or after a pause, decides with the same.
    """
    if not dimension:
        return None
    version, kept = session.rules.cohort_version, school.calibrations
    found = version and kept.cohort(session.camera.id, session.model_id, version)
    return found.cohort if found else Cohort.empty(session.model_id, dimension)


def _keep_cohort(school: School, session: ClassSession, pipeline: Pipeline) -> None:
    """What the camera has seen by now, for the sessions after this one."""
    if pipeline.cohort is None:
        return
    try:
        school.calibrations.keep_cohort(session.camera.id, pipeline.cohort, at=utc_now())
    except StorageError as error:
        log.error("session %s: the camera's cohort was not kept: %s", session.id, error)


def _work(
    school: School,
    session: ClassSession,
    owner: str,
    pipeline: Pipeline,
    frames: Frames,
    stop: threading.Event,
) -> int:
    web = school.config.web
    preview = PreviewServer(
        school.home, session.id, web.preview_width, web.preview_quality, web.preview_fps
    )
    worker = Worker(session, school.sessions, frames, pipeline, preview.show, owner)
    try:
        while not stop.is_set() and not _is_orphan() and worker.step():
            if worker.stuck_s > school.config.camera.hang_s:
                return _give_up(school, session, owner)
        worker.finish()
        _keep_cohort(school, session, pipeline)
        if not worker.has_ended:
            _say(school, session.id, CameraState.STOPPED, "")
        return EXIT_DONE
    finally:
        preview.close()


def _give_up(school: School, session: ClassSession, owner: str) -> int:
    """The driver hangs: no thread can be freed from it, so the process has to go."""
    log.warning("session %s: the camera's driver hangs; starting again", session.id)
    school.sessions.release_lease(session.camera.id, owner)
    school.close()
    os._exit(EXIT_HUNG)


def _say(school: School, session_id: int, state: CameraState, detail: str) -> None:
    with contextlib.suppress(SessionError):
        school.sessions.camera_changed(session_id, state, detail=detail, at=utc_now())


def _stop_on_sigterm() -> threading.Event:
    """SIGTERM asks to stop; Ctrl-C is the supervisor's business."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return stop


def _is_orphan() -> bool:
    """Whether the process that started this one is gone, as after kill -9."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()
