"""The live pipeline on a video file, as fast as it goes, in a process of its own.

Its memory is its own, then: neither torch nor another engine is loaded there. Decoding runs ahead
in a thread by a few frames; every frame is processed, none dropped.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from attendance.bootstrap import School
from attendance.config import Config
from attendance.core.domain import Decision, FrameResult, Gallery, Sighting
from attendance.core.errors import AttendanceError
from attendance.evaluation.read_ahead import ReadAhead
from attendance.evaluation.tracking_score import Accept, LabelledBoxes
from attendance.preview import PreviewClient, PreviewServer
from attendance.source import parse_source
from attendance.stream import frames_of, open_source

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
TELL_EVERY = 10
PREVIEWED = 1
PREVIEW_WAIT_S = 0.5
NOT_YET_S = 0.05


@dataclass(frozen=True)
class LiveJob:
    """What the process is to do.

    Attributes:
        within_s: wall seconds after which it stops, wherever it is.
        preview_home: where a preview is served, and pulled from all the time; None for neither.
    """

    home: Path
    config: Config
    video: Path
    gallery: Gallery
    within_s: float
    preview_home: Path | None = None


@dataclass(frozen=True)
class LiveRun:
    """What came of it.

    Attributes:
        fps: of the video.
        seconds: wall time of all its frames, decoding included, loading not.
        tracks: of each processed frame.
        accepts: names given, in order.
        stages_ms: median of each stage of the pipeline, over frames.
        peak_mb: resident memory of the process at its highest.
        previews: pictures a client was given meanwhile.
        is_cut_short: whether time ran out before the video did.
    """

    fps: float
    seconds: float
    tracks: tuple[LabelledBoxes, ...]
    accepts: tuple[Accept, ...]
    stages_ms: dict[str, float]
    peak_mb: float
    is_cut_short: bool
    previews: int = 0

    @property
    def frames(self) -> int:
        """How many were processed."""
        return len(self.tracks)

    @property
    def frames_per_s(self) -> float:
        """Processed frames by wall seconds."""
        return self.frames / self.seconds


def run_live(job: LiveJob, told: Callable[[int], None] = lambda _: None) -> LiveRun:
    """Process the video in a new process.

    Args:
        job: what to do.
        told: called with the frames done so far, every now and then.

    Raises:
        AttendanceError: the process could not do it; the message says why.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(job, theirs), name="bench-live")
    process.start()
    theirs.close()
    try:
        with _Spectator(job.preview_home) as spectator:
            run = _listen(ours, told)
    finally:
        ours.close()
        process.join(5)
        process.kill()
        process.join()
    return replace(run, previews=spectator.pictures)


def _listen(connection: Connection[Any, Any], told: Callable[[int], None]) -> LiveRun:
    while True:
        try:
            message = connection.recv()
        except EOFError as error:
            raise AttendanceError("the process of the live measurement died") from error
        if isinstance(message, LiveRun):
            return message
        if isinstance(message, str):
            raise AttendanceError(f"the live measurement failed: {message}")
        told(message)


def _child(job: LiveJob, connection: Connection[Any, Any]) -> None:
    """What the process runs."""
    try:
        with closing(School(job.home, job.config)) as school:
            connection.send(_process(school, job, connection.send))
    except Exception as error:  # the parent is told in one sentence
        connection.send(f"{type(error).__name__}: {error}")


def _process(school: School, job: LiveJob, tell: Callable[[int], None]) -> LiveRun:
    pipeline = school.live_pipeline(job.gallery, school.rules().thresholds)
    source = open_source(parse_source(str(job.video)))
    server = PreviewServer(job.preview_home, PREVIEWED) if job.preview_home else None
    results: list[FrameResult] = []
    is_cut_short = False
    began = time.perf_counter()
    with ReadAhead(frames_of(source, BEGAN)) as frames:
        for frame in frames:
            result = pipeline.process(frame)
            results.append(result)
            if server is not None:
                server.show(frame, result)
            if frame.number % TELL_EVERY == 0:
                tell(frame.number)
            is_cut_short = time.perf_counter() - began > job.within_s
            if is_cut_short:
                break
        seconds = time.perf_counter() - began
    if server is not None:
        server.close()
    return LiveRun(
        source.fps,
        seconds,
        tuple(_boxes(result) for result in results),
        _accepts(results, pipeline.finish()),
        _stages(results),
        peak_mb(),
        is_cut_short,
    )


def _boxes(result: FrameResult) -> LabelledBoxes:
    boxes = np.array([track.box for track in result.tracks], np.float32).reshape(-1, 4)
    return LabelledBoxes(tuple(track.track_id for track in result.tracks), boxes)


def _accepts(results: list[FrameResult], last: tuple[Sighting, ...]) -> tuple[Accept, ...]:
    said = [(number, event) for number, result in enumerate(results) for event in result.events]
    said += [(len(results) - 1, event) for event in last]
    return tuple(
        Accept(number, event.track_id, event.student_id)
        for number, event in said
        if event.decision is Decision.ACCEPT
    )


def _stages(results: list[FrameResult]) -> dict[str, float]:
    names = dict.fromkeys(name for result in results for name in result.timings)
    return {
        name: float(np.median([result.timings.get(name, 0.0) for result in results]))
        for name in names
    }


def peak_mb() -> float:
    """This process's resident memory at its highest, in megabytes.

    Linux hands `ru_maxrss` down to children, so the process's own high-water mark is read there.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="utf-8").splitlines()
        own = next(line for line in lines if line.startswith("VmHWM:"))
        return int(own.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


class _Spectator:
    """Pulls previews in a thread, one after another, as an open dashboard does."""

    def __init__(self, home: Path | None) -> None:
        self.pictures = 0
        self._home = home
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> _Spectator:
        if self._home is not None:
            self._thread = threading.Thread(
                target=self._watch, args=(self._home,), name="spectator", daemon=True
            )
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, home: Path) -> None:
        client = PreviewClient(home)
        number = -1
        while not self._stop.is_set():
            frame = client.frame(PREVIEWED, number, PREVIEW_WAIT_S)
            if frame is None:
                self._stop.wait(NOT_YET_S)
                continue
            number = frame.number
            self.pictures += 1
