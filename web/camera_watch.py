"""What a screen says of a session's camera, judged by the database and a monotonic clock.

A camera process beats in its lease. One that was live and falls silent is gone after two seconds;
one that starts (models load before the first beat) or reconnects is given longer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from attendance.core.domain import CameraState, SessionState
from attendance.sessions import Pulse, is_alive
from web.schemas import CameraOut, ReachOut

if TYPE_CHECKING:
    from attendance.bootstrap import School
    from attendance.config import Config
    from attendance.sessions import ClassSession, Lease

SILENT_AFTER_S = 2.0
PATIENCE_S = 15.0
FIGURES_EVERY_S = 1.0


class CameraView(StrEnum):
    """The states a screen has words and an icon for."""

    STARTING = "starting"
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"
    PAUSED = "paused"
    STOPPED = "stopped"
    NO_PROCESS = "no_process"


def judge(
    session: SessionState, camera: CameraState, *, silent_s: float, has_begun: bool
) -> CameraView:
    """What to show.

    Args:
        session: the state of the class session.
        camera: what the camera process last reported.
        silent_s: since when no beat was noticed.
        has_begun: whether the present process has beaten at all.

    >>> judge(SessionState.OPEN, CameraState.LIVE, silent_s=1.9, has_begun=True).value
    'live'
    >>> judge(SessionState.OPEN, CameraState.LIVE, silent_s=2.1, has_begun=True).value
    'no_process'
    >>> judge(SessionState.OPEN, CameraState.STARTING, silent_s=5.0, has_begun=False).value
    'starting'
    """
    if session is SessionState.PAUSED:
        return CameraView.PAUSED
    if session is not SessionState.OPEN:
        return CameraView.STOPPED
    if camera is CameraState.ENDED:
        return CameraView.ENDED
    is_steady = has_begun and camera is CameraState.LIVE
    if silent_s > (SILENT_AFTER_S if is_steady else PATIENCE_S):
        return CameraView.NO_PROCESS
    if camera is CameraState.LOST:
        return CameraView.LOST
    return CameraView.LIVE if is_steady else CameraView.STARTING


class CameraWatch:
    """The camera of one session, as last noticed. Owned by the feed's thread.

    Args:
        session_id: whose camera.
        now_s: monotonic seconds; patience begins here.
        config: the settings, for how far the camera reaches.
    """

    def __init__(self, session_id: int, now_s: float, config: Config) -> None:
        self._session_id = session_id
        self._config = config
        self._beat = -1
        self._beat_at_s = now_s
        self._has_begun = False
        self._session: ClassSession | None = None
        self._lease: Lease | None = None
        self._sent: CameraOut | None = None
        self._sent_at_s = float("-inf")

    def notice(self, session: ClassSession, lease: Lease | None, now_s: float) -> None:
        """Take in what the database says after a commit."""
        self._session, self._lease = session, lease
        is_paused = session.state is SessionState.PAUSED
        beat = -1 if lease is None else lease.beat
        if is_paused or beat != self._beat:
            self._beat_at_s = now_s
        self._beat = beat
        self._has_begun = beat > 0

    def status(self, now_s: float) -> CameraOut:
        """What to show at this moment."""
        if self._session is None:
            return self._card(CameraView.STARTING, "")
        view = judge(
            self._session.state,
            self._session.camera_state,
            silent_s=now_s - self._beat_at_s,
            has_begun=self._has_begun,
        )
        detail = self._session.camera_detail if view is CameraView.LOST else ""
        return self._card(view, detail)

    def news(self, now_s: float) -> CameraOut | None:
        """What is worth sending: a change of state at once, mere figures once a second."""
        status, sent = self.status(now_s), self._sent
        is_new = sent is None or (status.state, status.detail) != (sent.state, sent.detail)
        is_due = now_s - self._sent_at_s >= FIGURES_EVERY_S
        if not is_new and not (is_due and status != sent):
            return None
        self._sent, self._sent_at_s = status, now_s
        return status

    def _card(self, view: CameraView, detail: str) -> CameraOut:
        pulse = self._lease.pulse if self._lease else Pulse()
        return CameraOut(
            session=self._session_id,
            state=view.value,
            detail=detail,
            fps=pulse.fps,
            skipped=pulse.skipped,
            frames=pulse.frames,
            dropped=pulse.dropped,
            unknown_faces=pulse.unknown_faces,
            reach=ReachOut.of(self._config, pulse.width_px),
        )


def camera_now(school: School, session_id: int) -> CameraOut:
    """The camera judged at one moment: by whether its process lives, instead of by its beats."""
    session, lease = school.sessions.get(session_id), school.sessions.lease(session_id)
    watch = CameraWatch(session_id, 0.0, school.config)
    watch.notice(session, lease, 0.0)
    is_served = lease is not None and is_alive(lease.owner)
    return watch.status(0.0 if is_served else PATIENCE_S + 1)
