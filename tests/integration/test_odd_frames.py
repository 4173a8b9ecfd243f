"""Pictures nobody expects, through capture, real models, worker and preview."""

import numpy as np
import pytest
import skimage.data

from attendance.bootstrap import School, utc_now
from attendance.capture import Capture
from attendance.config import Config
from attendance.core.domain import CameraState
from attendance.preview import encode
from attendance.sessions import process_token
from attendance.stream import frames_of
from attendance.worker import RecordedFrames, Worker
from tests.fake_cameras import ScriptedFrameSource
from tests.fakes import NINE, until

# OpenVINO still converts by way of torch.jit, which torch is about to retire.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")


def face(height, width):
    picture = np.full((height, width, 3), 120, np.uint8)
    head = np.ascontiguousarray(skimage.data.astronaut()[0:240, 110:330, ::-1])
    picture[:240, :220] = head
    return picture


ODD = {
    "a stream that changes size midway": [face(480, 640)] * 4 + [face(720, 1280)] * 4,
    "and back": [face(720, 1280)] * 3 + [face(480, 640)] * 3 + [face(720, 1280)] * 3,
    "all black": [face(480, 640), np.zeros((480, 640, 3), np.uint8), face(480, 640)],
    "one pixel high": [face(480, 640), np.zeros((1, 640, 3), np.uint8), face(480, 640)],
    "one pixel wide": [face(480, 640), np.zeros((480, 1, 3), np.uint8), face(480, 640)],
    "one pixel": [np.zeros((1, 1, 3), np.uint8)] * 3,
}


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    school = School(tmp_path_factory.mktemp("odd") / "home", Config())
    student = school.registry.add_student("S1", "Eileen")
    course = school.sessions.add_course("SPACE", "Space")
    school.sessions.add_to_roster(course.id, [student.id])
    yield school
    school.close()


@pytest.fixture
def lesson(school):
    """A worker for any frames, on a session and models of its own."""
    session = school.sessions.open(
        school.sessions.find_course("SPACE").id,
        school.sessions.camera("0").id,
        at=utc_now(),
        model_id=school.model_id,
        rules=school.rules(),
    )
    owner = process_token()
    school.sessions.acquire_lease(session.camera.id, session.id, owner)
    gallery = school.registry.gallery([], session.model_id)
    pipeline = school.pipeline(gallery, session.rules.thresholds)
    shown = []

    def show(frame, result):
        shown.append(encode(frame, result, 960, 70))

    def make(frames):
        return Worker(session, school.sessions, frames, pipeline, show, owner)

    make.shown, make.session, make.pipeline = shown, session, pipeline
    yield make
    school.sessions.release_lease(session.camera.id, owner)
    school.sessions.close(session.id, at=utc_now())


@pytest.mark.parametrize("pictures", ODD.values(), ids=ODD)
def test_odd_pictures_are_looked_at_and_survived(lesson, pictures):
    source = ScriptedFrameSource([*pictures, None], fps=10.0)
    worker = lesson(RecordedFrames(frames_of(source, NINE)))
    while not worker.has_ended:
        worker.step()
    sizes = [(picture.shape[1], picture.shape[0]) for picture in pictures]
    assert [(p.width, p.height) for p in lesson.shown] == [
        (min(w, 960), max(1, round(h * min(1, 960 / w)))) for w, h in sizes
    ]


def test_a_sweep_survives_a_change_of_size(school, lesson):
    """The tiles it was to look at are those of pictures that come no more."""
    pictures = [face(480, 640)] * 3 + [face(720, 1280)] * 3 + [np.zeros((1, 640, 3), np.uint8)] * 3
    school.sessions.look_again(lesson.session.id, at=utc_now())
    lesson.pipeline.look_again()
    worker = lesson(RecordedFrames(frames_of(ScriptedFrameSource([*pictures, None], 10.0), NINE)))
    while not worker.has_ended:
        worker.step()
    assert len(lesson.shown) == len(pictures)


def test_a_live_camera_that_changes_size_stays_live(lesson):
    source = ScriptedFrameSource(ODD["a stream that changes size midway"], fps=10.0)
    with Capture(lambda: source) as capture:
        worker = lesson(capture)
        until(lambda: worker.step() and lesson.shown and lesson.shown[-1].width == 960, 30)
        assert capture.status().state is CameraState.LIVE
        source.closed.set()
