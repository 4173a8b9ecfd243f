"""The bench: its synthetic class is what it says it is, and one run writes every figure."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from typer.testing import CliRunner

from attendance.__main__ import app
from attendance.bootstrap import School
from attendance.config import Config
from attendance.core.errors import AttendanceError
from attendance.core.geometry import iou
from attendance.evaluation.cast import Cast, cast_people
from attendance.evaluation.moving_class import SMALL_CLASS, MovingClass, compose, min_step
from attendance.evaluation.read_ahead import ReadAhead
from attendance.evaluation.speed_baselines import FullScan

FRAMES = 61
"""The first people are replaced in frame 60."""
FIXED_KEYS = {
    "processor", "scan_ratio_720p_8", "scan_ratio_1080p_30", "live_fps_720p_8",
    "live_fps_1080p_30", "live_ratio_1080p_30", "live_recall_1080p_30", "newcomer_p95_s",
    "identity_switches", "embed_ratio", "ratio_to_yunet_sface", "time_to_mark_s", "peak_mb",
    "stages_ms",
}  # fmt: skip


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One person in three photos; who has one photo only cannot take part."""
    folder = tmp_path_factory.mktemp("faces")
    astronaut = np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])
    photos = {"Ann/1.png": astronaut, "Ann/2.png": astronaut[:300, 60:360], "Bo/1.png": astronaut}
    photos["Ann/3.png"] = astronaut[:320, 40:380]
    for name, image in photos.items():
        (folder / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / name), image)
    return folder


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    return School(tmp_path_factory.mktemp("home"), Config())


@pytest.fixture(scope="module")
def cast(faces: Path, school: School) -> Cast:
    people = {folder.name: sorted(folder.iterdir()) for folder in sorted(faces.iterdir())}
    count = SMALL_CLASS.people(FRAMES)
    return cast_people(people, count, school.detector(), school.embedder())


@pytest.fixture(scope="module")
def film(cast: Cast) -> MovingClass:
    return compose(SMALL_CLASS, cast.people, FRAMES)


class TestMovingClass:
    def test_known_boxes_are_where_our_detector_finds_faces(
        self, film: MovingClass, school: School
    ) -> None:
        for number in (0, 30, 60):
            known = film.people(number)
            found = school.detector().detect(film.render(number))
            assert len(known.labels) == SMALL_CLASS.taken
            assert (iou(known.boxes, found.boxes).max(axis=1) > 0.6).all()

    def test_everybody_moves_by_two_percent_of_their_face_every_frame(
        self, film: MovingClass
    ) -> None:
        assert min(min_step(stay.boxes) for stay in film.stays) >= 0.02

    def test_every_two_seconds_one_takes_a_leavers_seat_and_one_a_free_one(
        self, film: MovingClass
    ) -> None:
        before, after = film.people(59), film.people(60)
        new = [visit for visit in film.visits if visit.is_newcomer]
        assert [visit.first for visit in new] == [60, 60]
        assert [visit.takes_over for visit in new] == [True, False]
        rows = [after.labels.index(visit.person) for visit in new]
        overlaps = iou(after.boxes[rows], before.boxes).max(axis=1)
        assert overlaps[0] > 0.3
        assert overlaps[1] == 0

    def test_the_seed_decides_everything(self, film: MovingClass, cast: Cast) -> None:
        again, other = (compose(SMALL_CLASS, cast.people, FRAMES, seed) for seed in (0, 1))
        assert np.array_equal(film.render(60), again.render(60))
        assert not np.array_equal(film.render(60), other.render(60))


def test_a_full_scan_by_stages_finds_what_a_full_scan_finds(
    film: MovingClass, school: School
) -> None:
    image, detector = film.render(0), school.detector()
    staged = FullScan(detector, school.embedder(), school.config.detector.min_score)
    found, stages = staged.scan(image)
    assert np.array_equal(found.boxes, detector.detect_fast(image).boxes)
    assert set(stages) == {"pyramid", "p-net", "r-net", "o-net"}


class TestCast:
    def test_too_few_people_stand_for_several(self, cast: Cast) -> None:
        assert cast.is_repeating
        assert len(cast.people) == SMALL_CLASS.people(FRAMES)
        assert len(cast.gallery) == 1, "Bo has one photo"

    def test_the_photo_that_is_shown_is_not_enrolled(self, cast: Cast) -> None:
        assert len(cast.gallery.templates) == 4, "of three photos two, and their flips"

    def test_a_folder_without_faces_is_refused(self, tmp_path: Path, school: School) -> None:
        paths = [tmp_path / f"{i}.png" for i in range(2)]
        for path in paths:
            cv2.imwrite(str(path), np.full((120, 120, 3), 90, np.uint8))
        with pytest.raises(AttendanceError, match="nobody has two photos"):
            cast_people({"Wall": paths}, 3, school.detector(), school.embedder())


class TestReadAhead:
    def test_gives_everything_in_order(self) -> None:
        with ReadAhead(range(50)) as items:
            assert list(items) == list(range(50))

    def test_hands_on_what_the_source_raises(self) -> None:
        def broken():
            yield 1
            raise AttendanceError("the file ends in the middle")

        with ReadAhead(broken()) as items, pytest.raises(AttendanceError, match="in the middle"):
            list(items)

    def test_a_reader_may_leave_early(self) -> None:
        with ReadAhead(iter(int, 1)) as endless:
            assert next(iter(endless)) == 0


@pytest.mark.timeout(900)
def test_one_run_writes_every_figure(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an index pip cannot bring YuNet and SFace: the figure is null and says why."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    target = tmp_path / "speed.json"
    words = ["--home", tmp_path / "home", "bench", "--seconds", "0.2", "--faces", faces]
    result = CliRunner().invoke(app, [*map(str, words), "--json", str(target)])
    assert result.exit_code == 0, result.output
    figures = json.loads(target.read_text(encoding="utf-8"))
    assert set(figures) >= FIXED_KEYS
    assert figures["live_fps_1080p_30"] > 0
    assert figures["live_ratio_1080p_30"] > 0
    assert figures["n"]["frames"] == 6
    null = {key for key in FIXED_KEYS if figures[key] is None}
    assert null == {"ratio_to_yunet_sface", "time_to_mark_s", "newcomer_p95_s"}
    assert null <= set(figures["why_null"])
    assert "pip could not bring" in figures["why_null"]["ratio_to_yunet_sface"]
    assert target.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert "ratio_to_yunet_sface: not measured" in result.output
