"""Makes the running camera processes match the sessions the database wants open.

`step()` starts, watches and if need be kills; it is called a few times a second. A process that
hangs in a driver is killed, one that died is started again with growing waits. Two supervisors do
no harm: the camera's lease in the database lets one process through.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Protocol, cast

from attendance import nursery
from attendance.bootstrap import School, utc_now
from attendance.camera import EXIT_BUSY, run_camera
from attendance.config import Config
from attendance.core.domain import CameraState, SessionState
from attendance.core.errors import AttendanceError
from attendance.sessions import ClassSession

STEP_S = 0.1
TERMINATE_AFTER_S = 0.8
KILL_AFTER_S = 1.4
SILENT_AFTER_S = 15.0
STARTS_WITHIN_S = 60.0
FIRST_RESTART_S = 0.5
LONGEST_RESTART_S = 10.0
PURGE_EVERY_S = 24 * 3600.0
PURGE_AGAIN_S = 600.0

log = logging.getLogger(__name__)


class CameraProcess(Protocol):
    """The part of `multiprocessing.Process` a supervisor needs."""

    @property
    def exitcode(self) -> int | None:
        """How it ended, None while it runs."""
        ...

    def is_alive(self) -> bool:
        """Whether it still runs."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        ...


Spawn = Callable[[int], CameraProcess]


@dataclass
class _Child:
    """A camera process and what was done about it. Owned by the supervisor's thread."""

    process: CameraProcess
    started_s: float
    unwanted_s: float | None = None
    beat: int = -1
    beat_s: float = 0.0
    has_beaten: bool = False
    was_terminated: bool = False


@dataclass
class _Restart:
    """When a session may try again."""

    at_s: float
    wait_s: float


class Supervisor:
    """Keeps one camera process a running session. Owned by one thread.

    Args:
        school: whose sessions.
        spawn: starts a camera process for a session.
        only: look after this session alone.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        school: School,
        spawn: Spawn,
        only: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._school = school
        self._spawn = spawn
        self._only = only
        self._clock = clock
        self._children: dict[int, _Child] = {}
        self._restarts: dict[int, _Restart] = {}
        self._purge_at_s = clock()

    def step(self) -> None:
        """Look once and do what is needed; a database that does not answer changes nothing."""
        try:
            self._purge()
            wanted = self._wanted()
        except AttendanceError as error:
            log.error("%s", error)
            return
        for session_id, child in list(self._children.items()):
            self._look_after(session_id, child, is_wanted=session_id in wanted)
        for session_id in wanted - self._children.keys():
            self._start(session_id)

    def close(self) -> None:
        """End every camera process, within two seconds."""
        for child in self._children.values():
            child.process.terminate()
        give_up_s = self._clock() + KILL_AFTER_S
        for child in self._children.values():
            _end(child.process, max(0.0, give_up_s - self._clock()))
        self._children.clear()

    def _purge(self) -> None:
        """Delete the pictures whose days are over: at the start and once a day."""
        if self._clock() < self._purge_at_s:
            return
        self._purge_at_s = self._clock() + PURGE_EVERY_S
        try:
            purged = self._school.sessions.purge_crops(at=utc_now())
        except AttendanceError as error:
            log.error("%s", error)
            self._purge_at_s = self._clock() + PURGE_AGAIN_S
        else:
            log.info("%d pictures had been kept long enough and were deleted", purged)

    def _wanted(self) -> set[int]:
        running = self._school.sessions.running()
        ids = {session.id for session in running if _wants_camera(session)}
        return ids if self._only is None else ids & {self._only}

    def _start(self, session_id: int) -> None:
        restart = self._restarts.get(session_id)
        now = self._clock()
        if restart is not None and now < restart.at_s:
            return
        self._children[session_id] = _Child(self._spawn(session_id), now, beat_s=now)

    def _look_after(self, session_id: int, child: _Child, *, is_wanted: bool) -> None:
        if not child.process.is_alive():
            self._bury(session_id, child, is_wanted=is_wanted)
        elif is_wanted:
            child.unwanted_s = None
            self._listen(session_id, child)
        else:
            self._send_away(child)

    def _bury(self, session_id: int, child: _Child, *, is_wanted: bool) -> None:
        child.process.join()
        del self._children[session_id]
        if not is_wanted:
            self._restarts.pop(session_id, None)
            return
        code = child.process.exitcode
        now = self._clock()
        before = self._restarts.get(session_id)
        has_served = now - child.started_s > LONGEST_RESTART_S
        wait_s = FIRST_RESTART_S if before is None or has_served else before.wait_s * 2
        wait_s = min(wait_s, LONGEST_RESTART_S)
        self._restarts[session_id] = _Restart(now + wait_s, wait_s)
        log.warning("session %s: camera process ended with %s", session_id, code)
        if code not in {0, EXIT_BUSY}:
            self._say_lost(session_id)

    def _say_lost(self, session_id: int) -> None:
        """Tell the screens, unless the process said why it ended."""
        try:
            session = self._school.sessions.get(session_id)
            if session.camera_state is not CameraState.LOST:
                self._school.sessions.camera_changed(
                    session_id,
                    CameraState.LOST,
                    detail="the camera process ended; it is being started again",
                    at=utc_now(),
                )
        except AttendanceError as error:
            log.error("session %s: %s", session_id, error)

    def _listen(self, session_id: int, child: _Child) -> None:
        """Kill a process whose heart stopped; nobody else could take its camera.

        Before the first beat it loads its models, which a slow machine is given more time for.
        """
        lease = self._school.sessions.lease(session_id)
        now = self._clock()
        patience_s = SILENT_AFTER_S if child.has_beaten else STARTS_WITHIN_S
        if lease is not None and lease.beat != child.beat:
            child.has_beaten = child.beat >= 0 and lease.beat > 0
            child.beat, child.beat_s = lease.beat, now
        elif now - child.beat_s > patience_s:
            log.warning("session %s: camera process is silent, killing it", session_id)
            child.process.kill()

    def _send_away(self, child: _Child) -> None:
        """Let it end by itself, then ask, then kill: two seconds in all."""
        now = self._clock()
        if child.unwanted_s is None:
            child.unwanted_s = now
        since_s = now - child.unwanted_s
        if since_s > KILL_AFTER_S:
            child.process.kill()
        elif since_s > TERMINATE_AFTER_S and not child.was_terminated:
            child.was_terminated = True
            child.process.terminate()


def _wants_camera(session: ClassSession) -> bool:
    """Whether a session is open and its recording, if it plays one fast, not over."""
    is_played_out = session.pace == "fast" and session.camera_state is CameraState.ENDED
    return session.state is SessionState.OPEN and not is_played_out


def _end(process: CameraProcess, within_s: float = KILL_AFTER_S) -> None:
    """Wait for the end of a process that was asked to end, then end it."""
    process.join(within_s)
    if process.is_alive():
        process.kill()
        process.join(0.5)


class Spawner:
    """Starts real camera processes of a school.

    Args:
        home: the school's folder.
        config: the settings.
    """

    def __init__(self, home: Path, config: Config) -> None:
        self._home = home
        self._config = config
        self._early: tuple[CameraProcess, Connection] | None = None

    def __call__(self, session_id: int) -> CameraProcess:
        """A camera process for this session: the one that is ready, if there is one."""
        early, self._early = self._early, None
        if early is None or not early[0].is_alive():
            return self._start(nursery.context(), session_id)
        process, telling = early
        with telling:
            telling.send(session_id)
        return process

    def prepare(self) -> None:
        """Start a process that loads its models while its session is still being opened.

        Call it before this process opens a database or starts a thread: on Linux it forks.
        """
        context = nursery.early_context()
        told, telling = context.Pipe(duplex=False)
        self._early = (self._start(context, told), telling)
        told.close()

    def close(self) -> None:
        """End a process that was made ready and never told its session."""
        early, self._early = self._early, None
        if early is not None:
            early[1].close()
            _end(early[0])

    def _start(self, context: BaseContext, session: int | Connection) -> CameraProcess:
        process = context.Process(  # type: ignore[attr-defined]
            target=camera_main, args=(self._home, self._config, session), name="camera", daemon=True
        )
        process.start()
        return cast("CameraProcess", process)


def camera_main(home: Path, config: Config, session: int | Connection) -> None:
    """The entry of a camera process; one that is started early is told its session later."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    sys.exit(run_camera(home, config, session))
