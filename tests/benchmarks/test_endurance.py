"""A long lesson in one process: neither memory nor threads nor file handles may grow.

Not in the default run: `python -m pytest tests/benchmarks`, some ten minutes.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
import skimage.data

from attendance.bootstrap import School
from attendance.config import Config
from attendance.core.domain import Frame, Gallery

WARM, END = 3_000, 30_000
FPS = 30
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
AWAY_EVERY, AWAY = 200, 60


def pictures():
    """Two people who walk about on a busy wall, and the wall alone."""
    chance = np.random.default_rng(0)
    wall = cv2.resize(chance.integers(60, 190, (9, 16, 3), np.uint8), (640, 360))
    face = skimage.data.astronaut()[:280, 120:340, ::-1]
    small = cv2.resize(face, (110, 140), interpolation=cv2.INTER_AREA)
    other = np.ascontiguousarray(cv2.resize(face, (88, 112))[:, ::-1, ::-1])
    shown = []
    for n in range(40):
        image = wall.copy()
        x, y = 60 + 4 * abs(n - 20), 30 + 3 * abs(20 - n)
        image[y : y + 140, x : x + 110] = small
        image[200 - y : 312 - y, 500 - x : 588 - x] = other
        shown.append(image)
    return shown, wall


@pytest.mark.timeout(1800)
def test_thirty_thousand_frames_in_one_process(tmp_path: Path) -> None:
    school = School(tmp_path, Config())
    shown, wall = pictures()
    faces = school.detector().detect(shown[0])
    templates = school.embedder().embed(shown[0], faces.take([0]))
    gallery = Gallery(school.model_id, (1,), templates, np.zeros(1, np.intp))
    pipeline = school.live_pipeline(gallery, school.rules().thresholds)
    process, at = psutil.Process(), {}
    events = 0
    for number in range(1, END + 1):
        is_away = number % AWAY_EVERY < AWAY
        image = (wall if is_away else shown[number % len(shown)]).copy()
        t_s = number / FPS
        frame = Frame(number, image, t_s, BEGAN + timedelta(seconds=t_s))
        events += len(pipeline.process(frame).events)
        if number in {WARM, END // 2, END}:
            at[number] = (process.memory_info().rss / 2**20, process.num_threads(),
                          process.num_fds())  # fmt: skip
    print("\nframes: MB, threads, handles", at, "events", events)
    (warm_mb, warm_threads, warm_handles), (end_mb, threads, handles) = at[WARM], at[END]
    assert events > 100
    assert end_mb - warm_mb < 20
    assert (threads, handles) == (warm_threads, warm_handles)
    school.close()
