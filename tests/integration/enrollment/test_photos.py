"""Every bad photo on the list is refused with a reason and a sentence; good ones are taken."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from skimage.data import astronaut

from attendance.bootstrap import School, utc_now
from attendance.config import Config, EnrollmentConfig
from attendance.core.domain import Pose
from attendance.core.errors import (
    ConsentMissingError,
    DuplicateStudentError,
    PhotoError,
    PhotoProblem,
    UnknownStudentError,
)
from enroll.admission import Applicant, admit
from enroll.consent import CONSENT_VERSION
from enroll.enrollment import Enroller, RefusedPhotosError
from enroll.photos import WORKING_PX, read_photo


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    school = School(tmp_path_factory.mktemp("photos") / "home", Config())
    yield school
    school.close()


@pytest.fixture(scope="module")
def enroller(school: School) -> Enroller:
    limits = school.config.enrollment
    return Enroller(school.detector(), school.embedders(), school.registry, limits)


def face() -> np.ndarray:
    return astronaut()


def jpeg(rgb: np.ndarray, orientation: int | None = None) -> bytes:
    buffer = io.BytesIO()
    picture = PillowImage.fromarray(np.asarray(rgb, np.uint8))
    exif = PillowImage.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    picture.save(buffer, "JPEG", quality=95, exif=exif)
    return buffer.getvalue()


def six_faces() -> np.ndarray:
    return np.tile(face()[:300, 80:400], (2, 3, 1))


def tiny_face() -> np.ndarray:
    canvas = np.full((900, 1400, 3), 170, np.uint8)
    canvas[100:300, 100:300] = cv2.resize(face(), (200, 200), interpolation=cv2.INTER_AREA)
    return canvas


def gradient() -> np.ndarray:
    ramp = np.linspace(0, 255, 640, dtype=np.uint8)
    return np.broadcast_to(ramp[None, :, None], (480, 640, 3))


BAD_PHOTOS = [
    ("no photo", lambda: b"", PhotoProblem.EMPTY, "empty"),
    ("a text file", lambda: b"Dear photo,\n" * 50, PhotoProblem.NOT_AN_IMAGE, "JPEG"),
    ("a cut-off photo", lambda: jpeg(face())[:4000], PhotoProblem.NOT_AN_IMAGE, "open"),
    (
        "12,000 pixels",
        lambda: jpeg(np.zeros((64, 12_000, 3))),
        PhotoProblem.TOO_LARGE,
        "12000 x 64",
    ),
    ("no face", lambda: jpeg(gradient()), PhotoProblem.NO_FACE, "no face"),
    ("six faces", lambda: jpeg(six_faces()), PhotoProblem.SEVERAL_FACES, "6 faces"),
    ("a face too small", lambda: jpeg(tiny_face()), PhotoProblem.FACE_TOO_SMALL, "Come closer"),
    ("too dark", lambda: jpeg(face() * 0.18), PhotoProblem.TOO_DARK, "light"),
    (
        "too bright",
        lambda: jpeg(255 - (255 - face()) * 0.25),
        PhotoProblem.TOO_BRIGHT,
        "too bright",
    ),
    (
        "too blurred",
        lambda: jpeg(cv2.GaussianBlur(face(), (0, 0), 5)),
        PhotoProblem.TOO_BLURRED,
        "Hold still",
    ),
]


@pytest.mark.parametrize(
    ("make", "problem", "words"),
    [row[1:] for row in BAD_PHOTOS],
    ids=[row[0] for row in BAD_PHOTOS],
)
def test_bad_photo_is_refused_in_words(enroller: Enroller, make, problem, words) -> None:
    report = enroller.check(Pose.FRONT, make())
    assert not report.ok
    assert report.problem is problem
    assert words in report.message


@pytest.mark.parametrize("orientation", [None, 3, 6, 8])
def test_rotation_mark_is_followed(enroller: Enroller, orientation: int | None) -> None:
    """A phone writes the picture as the sensor lay and says how it was held."""
    turns = {None: 0, 3: 2, 6: 1, 8: 3}[orientation]
    stored = np.rot90(face(), turns)
    assert enroller.check(Pose.FRONT, jpeg(stored, orientation)).ok


def test_large_photo_is_made_smaller_before_it_is_looked_at() -> None:
    big = cv2.resize(face(), (4000, 4000))
    image = read_photo(jpeg(big), EnrollmentConfig())
    assert max(image.shape) <= WORKING_PX


def test_picture_made_to_fill_the_memory_is_refused_unopened() -> None:
    """A PNG of 30,000 x 30,000 black pixels is a few kilobytes on disk and 2.7 GB in memory."""
    buffer = io.BytesIO()
    PillowImage.new("1", (30_000, 30_000)).save(buffer, "PNG")
    with pytest.raises(PhotoError, match="too many pixels"):
        read_photo(buffer.getvalue(), EnrollmentConfig())


def test_file_over_the_limit_is_refused() -> None:
    with pytest.raises(PhotoError, match="26 MB"):
        read_photo(b"\xff" * 26_000_000, EnrollmentConfig())


def five_good() -> dict[Pose, bytes]:
    shades = zip(Pose, (1.0, 0.95, 0.9, 0.85, 0.8), strict=True)
    return {pose: jpeg(face() * shade) for pose, shade in shades}


def test_five_good_photos_give_ten_templates(school: School, enroller: Enroller) -> None:
    applicant = Applicant("20260001", "김민준")
    student, result = admit(enroller, school.registry, applicant, five_good(), at=utc_now())
    stored = school.registry.templates_of(student.id, school.model_id)
    assert result.templates == len(stored) == 10
    assert {(t.pose, t.is_flip) for t in stored} == {(p, f) for p in Pose for f in (False, True)}
    assert school.registry.find_student("20260001").name == "김민준"


def test_every_installed_embedder_gets_its_templates_so_that_a_switch_needs_no_photos(
    school: School, enroller: Enroller
) -> None:
    applicant = Applicant("20260002", "이서연")
    student, result = admit(enroller, school.registry, applicant, five_good(), at=utc_now())
    installed = [school.models.model_id(name) for name in school.models.installed()]
    assert len(installed) >= 2
    assert list(result.model_ids) == installed
    for model_id in installed:
        assert school.registry.enrolled([student.id], model_id) == {student.id}
        assert len(school.registry.templates_of(student.id, model_id)) == 10


@pytest.mark.parametrize("missing", [1, 4, 5])
def test_fewer_than_five_photos_store_nothing(
    school: School, enroller: Enroller, missing: int
) -> None:
    photos = dict(list(five_good().items())[missing:])
    number = f"few{missing}"
    with pytest.raises(RefusedPhotosError) as refusal:
        admit(enroller, school.registry, Applicant(number, "Kim"), photos, at=utc_now())
    assert sum(not report.ok for report in refusal.value.reports) == missing
    with pytest.raises(UnknownStudentError):
        school.registry.find_student(number)


def test_one_bad_photo_keeps_the_earlier_templates(school: School, enroller: Enroller) -> None:
    applicant = Applicant("again", "Lee")
    student, _ = admit(enroller, school.registry, applicant, five_good(), at=utc_now())
    before = school.registry.templates_of(student.id, school.model_id)
    photos = {**five_good(), Pose.SMILE: jpeg(gradient())}
    with pytest.raises(RefusedPhotosError, match="smile: We found no face"):
        admit(enroller, school.registry, applicant, photos, at=utc_now())
    after = school.registry.templates_of(student.id, school.model_id)
    assert [t.embedding.tobytes() for t in before] == [t.embedding.tobytes() for t in after]


def test_number_of_somebody_else_is_refused(school: School, enroller: Enroller) -> None:
    admit(enroller, school.registry, Applicant("taken", "Park"), five_good(), at=utc_now())
    with pytest.raises(DuplicateStudentError, match="taken"):
        admit(enroller, school.registry, Applicant("taken", "Choi"), five_good(), at=utc_now())
    assert school.registry.find_student("taken").name == "Park"


def test_without_consent_no_photo_is_looked_at(school: School, enroller: Enroller) -> None:
    student = school.registry.add_student("nobody", "No Consent")
    with pytest.raises(ConsentMissingError):
        enroller.enroll(student.id, five_good(), at=utc_now())
    assert school.registry.templates_of(student.id, school.model_id) == []


def test_withdrawal_deletes_the_templates(school: School, enroller: Enroller) -> None:
    applicant = Applicant("leaving", "Jung")
    student, _ = admit(enroller, school.registry, applicant, five_good(), at=utc_now())
    consent = school.registry.live_consent(student.id)
    assert consent is not None
    assert consent.text_version == CONSENT_VERSION
    school.registry.withdraw_consent(student.id, at=utc_now())
    assert school.registry.templates_of(student.id, school.model_id) == []


@pytest.mark.data
@pytest.mark.skipif("ATTENDANCE_DATA" not in os.environ, reason="ATTENDANCE_DATA is not set")
@pytest.mark.parametrize(
    ("photo", "problem"),
    [
        ("background.jpg", PhotoProblem.NO_FACE),
        ("multiface.jpg", PhotoProblem.SEVERAL_FACES),
        ("solvay1927.jpg", PhotoProblem.SEVERAL_FACES),
        *((f"stock-emotions-a-{i}.jpg", None) for i in range(1, 9)),
        *((f"stock-emotions-b-{i}.jpg", None) for i in range(1, 9)),
    ],
)
def test_real_photos(enroller: Enroller, photo: str, problem: PhotoProblem | None) -> None:
    data = (Path(os.environ["ATTENDANCE_DATA"]) / "stills" / photo).read_bytes()
    assert enroller.check(Pose.FRONT, data).problem is problem
