"""Stands for everything round a supervisor: a school's sessions, processes, and time."""

from dataclasses import dataclass, field, replace

from attendance.camera import EXIT_DONE
from attendance.core.domain import CameraState, SessionState
from attendance.sessions import Lease, Pulse
from attendance.supervisor import (
    STEP_S,
    Supervisor,
)
from tests.fakes import FakeClock, class_session

KILLED = -9


@dataclass
class FakeProcess:
    """A camera process that does what it is told, unless it is deaf.

    Attributes:
        deaf: it hangs in a driver and hears no request to end.
        undead: not even a kill ends it, as in an uninterruptible sleep.
    """

    clock: FakeClock
    deaf: bool = False
    undead: bool = False
    exitcode: int | None = None
    told: list[tuple[str, float]] = field(default_factory=list)

    def is_alive(self):
        return self.exitcode is None

    def end(self, code):
        self.exitcode = code

    def terminate(self):
        self.told.append(("terminate", self.clock()))
        if not self.deaf:
            self.end(EXIT_DONE)

    def kill(self):
        self.told.append(("kill", self.clock()))
        if not self.undead:
            self.end(KILLED)

    def join(self, timeout=None):
        if self.is_alive():
            self.clock.advance(timeout)


class FakeSchool:
    """Its sessions, as a supervisor asks for them."""

    def __init__(self):
        self.sessions = self
        self.rows, self.leases, self.lost, self.error = {}, {}, [], None
        self.purges, self.purge_error = 0, None

    def open(self, session_id, **facts):
        self.rows[session_id] = class_session(session_id, **facts)

    def change(self, session_id, **facts):
        self.rows[session_id] = replace(self.rows[session_id], **facts)

    def beat(self, session_id, number):
        self.leases[session_id] = Lease(
            session_id, session_id, "it", CameraState.LIVE, "", number, Pulse()
        )

    def running(self):
        if self.error is not None:
            raise self.error
        over = {SessionState.CLOSED, SessionState.NEEDS_INSTRUCTOR}
        return [row for row in self.rows.values() if row.state not in over]

    def purge_crops(self, *, at):
        assert at.tzinfo is not None
        self.purges += 1
        if self.purge_error is not None:
            raise self.purge_error
        return 0

    def get(self, session_id):
        return self.rows[session_id]

    def lease(self, session_id):
        return self.leases.get(session_id)

    def camera_changed(self, session_id, state, *, at, detail=""):
        self.lost.append((session_id, state, detail))
        self.change(session_id, camera_state=state)


class Hall:
    """A supervisor with its fakes."""

    def __init__(self, **options):
        self.clock, self.school = FakeClock(), FakeSchool()
        self.started: list[tuple[int, FakeProcess]] = []
        self.nature: dict[str, bool] = {}
        self.supervisor = Supervisor(self.school, self.spawn, clock=self.clock, **options)

    def spawn(self, session_id):
        process = FakeProcess(self.clock, **self.nature)
        self.started.append((session_id, process))
        return process

    def pass_time(self, seconds):
        """Steps as a server takes them."""
        until_s = self.clock() + seconds
        self.supervisor.step()
        while self.clock() < until_s - 1e-9:
            self.clock.advance(STEP_S)
            self.supervisor.step()

    def sessions(self):
        return [session_id for session_id, _ in self.started]

    def newest(self):
        return self.started[-1][1]
