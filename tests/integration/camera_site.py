"""A real school with one astronaut on its roster, a classroom she moves about in, a supervisor."""

import time
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import skimage.data

from attendance.bootstrap import School, utc_now
from attendance.config import Config
from attendance.core.domain import Pose, Status
from attendance.supervisor import STEP_S, Spawner, Supervisor
from enroll.enrollment import Enroller
from tests.fakes import until
from tests.integration.mjpeg import jpeg

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def astronaut():
    return np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])


def turned(image, degrees, brightness):
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    picture = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.clip(picture * brightness, 0, 255).astype(np.uint8)


def photos():
    """Five photos of one face: a little turned, a little brighter or darker."""
    face = astronaut()[0:320, 80:400]
    angles, lights = (0, -6, 6, -3, 3), (1.0, 0.9, 1.1, 1.05, 0.95)
    return {
        pose: jpeg(turned(face, angle, light), 95)
        for pose, angle, light in zip(Pose, angles, lights, strict=True)
    }


def classroom(count=40):
    """Pictures of a room in which the astronaut moves about."""
    face = astronaut()[0:320, 80:400]
    for n in range(count):
        room = np.full((480, 640, 3), 150, np.uint8)
        x = 160 + round(40 * np.sin(2 * np.pi * n / count))
        y = 80 + round(20 * np.cos(2 * np.pi * n / count))
        room[y : y + 320, x : x + 320] = face
        yield room


def config_of(**camera):
    config = Config()
    return config.model_copy(update={"camera": config.camera.model_copy(update=camera)})


class Site:
    """A school with a course, a supervisor, and the session that a test opens."""

    def __init__(self, home, config):
        self.home, self.config = home, config
        self.school = School(home, config)
        self.sessions = self.school.sessions
        self.supervisor = Supervisor(self.school, Spawner(home, config))
        self.present, self.away = [s.id for s in self.school.registry.students()]
        self.session_id = None

    def open(self, source, *, pace="live", at=None):
        session = self.sessions.open(
            self.sessions.find_course("SPACE").id,
            self.sessions.camera(str(source)).id,
            at=at or utc_now(),
            model_id=self.school.model_id,
            rules=self.school.rules(),
            pace=pace,
        )
        self.session_id = session.id
        return session

    def until(self, predicate, within_s):
        """Supervise until something is true, as a server would."""
        stepped = [float("-inf")]

        def step_and_look():
            now = time.monotonic()
            if now - stepped[0] >= STEP_S:
                stepped[0] = now
                self.supervisor.step()
            return predicate()

        return until(step_and_look, within_s)

    def session(self):
        return self.sessions.get(self.session_id)

    def is_in(self, state):
        return self.session().camera_state is state

    def status_of(self, student_id):
        rows = self.sessions.register(self.session_id)
        return next(row.status for row in rows if row.student_id == student_id)

    def is_named(self):
        return self.status_of(self.present) is Status.PRESENT

    def owner(self):
        lease = self.sessions.lease(self.session_id)
        return lease.owner if lease else None

    def pid(self):
        return int(self.owner().partition(":")[0])

    def frames(self):
        lease = self.sessions.lease(self.session_id)
        return lease.pulse.frames if lease else 0

    def is_reading(self):
        """The preview's card is written as the first read begins."""
        return (self.home / "run" / f"preview-{self.session_id}.json").exists()

    def events(self, kind=None):
        events = self.sessions.events_after(self.session_id, 0)
        assert [e.number for e in events] == list(range(1, len(events) + 1))
        assert self.session().last_event == len(events)
        return [e for e in events if kind in (None, e.kind)]

    def camera_states(self):
        return [event.payload["state"] for event in self.events("camera")]

    def close(self):
        return self.sessions.close(self.session_id, at=utc_now())


def enrol_astronaut(home):
    """A home where the astronaut is enrolled and the models are compiled; tests take copies."""
    school = School(home, Config())
    at = NINE - timedelta(days=1)
    student = school.registry.add_student("S1", "Eileen")
    school.registry.give_consent(student.id, text_version="1", language="en", at=at)
    limits = school.config.enrollment
    enroller = Enroller(school.detector(), school.embedders(), school.registry, limits)
    assert enroller.enroll(student.id, photos(), at=at).templates == 10
    away = school.registry.add_student("S2", "Away")
    course = school.sessions.add_course("SPACE", "Space flight")
    school.sessions.add_to_roster(course.id, [student.id, away.id])
    school.close()


def film(path):
    """Six seconds of the classroom."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (640, 480))
    for picture in classroom(60):
        writer.write(picture)
    writer.release()
