"""Laws of the cascade, held against the slow way of doing the same."""

import cv2
import numpy as np
import pytest
import skimage.data

from attendance.config import DetectorConfig
from attendance.core.following import follow
from attendance.core.geometry import iou
from attendance.core.scanning import pyramid_scales, tiled_levels
from attendance.vision.frame_pyramid import FramePyramid
from attendance.vision.loading import load_detector
from attendance.vision.mtcnn import Mtcnn, peaks


@pytest.fixture(scope="module")
def detector():
    return load_detector(DetectorConfig(min_face_px=40, min_score=0.0), "cpu")


@pytest.fixture(scope="module")
def astronaut():
    return np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])


@pytest.fixture(scope="module")
def group(astronaut):
    """Four of her, near and far."""
    image = np.full((720, 1280, 3), 120, np.uint8)
    for size, x, y in ((500, 0, 0), (300, 520, 50), (400, 850, 100), (220, 560, 450)):
        image[y : y + size, x : x + size] = cv2.resize(astronaut, (size, size))
    return image


def greedy(logits, limit):
    """The best cell stays, its neighbours go, one at a time."""
    left, kept = {tuple(c): logits[tuple(c)] for c in np.argwhere(logits >= limit)}, set()
    while left:
        row, column = best = max(left, key=left.get)
        kept.add(best)
        for y in (row - 1, row, row + 1):
            for x in (column - 1, column, column + 1):
                left.pop((y, x), None)
    return kept


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (23, 31)])
def test_suppression_on_the_grid_is_the_greedy_one(seed, shape):
    logits = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    rows, columns = peaks(logits, 0.3)
    found = set(zip(rows.tolist(), columns.tolist(), strict=True))
    assert found == {(int(y), int(x)) for y, x in greedy(logits, 0.3)}


def test_no_cell_above_the_limit_is_no_peak():
    rows, columns = peaks(np.full((5, 5), -3.0, np.float32), 0.3)
    assert len(rows) == len(columns) == 0


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((720, 1280, 3), "an all-black frame"),
        ((1, 1, 3), "one pixel"),
        ((1, 1920, 3), "one row"),
        ((1080, 1, 3), "one column"),
        ((40, 40, 3), "as large as the smallest face"),
    ],
)
def test_nothing_is_found_in(detector, shape, reason):
    assert len(detector.detect(np.zeros(shape, np.uint8))) == 0, reason


@pytest.mark.parametrize("net", ["r", "o"])
def test_a_batch_is_its_members_one_by_one(detector, net):
    run, side = getattr(detector._nets, net), {"r": 24, "o": 48}[net]
    crops = np.random.default_rng(0).integers(0, 256, (33, side, side, 3), np.uint8)
    together = run(crops)
    alone = np.concatenate([run(crop[None]) for crop in crops])
    assert together == pytest.approx(alone, abs=0.05)
    assert (np.abs(together - alone) <= 0.02 + 0.02 * np.abs(alone)).all()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_confirming_any_number_of_boxes_is_confirming_each(detector, group, count):
    found = detector.detect(group)
    search = detector.search(group)
    together = search.confirm(found.boxes[:count])
    assert len(together) == count
    for i in range(count):
        alone = search.confirm(found.boxes[i : i + 1])
        assert together.boxes[i] == pytest.approx(alone.boxes[0], abs=1)
        assert together.scores[i] == pytest.approx(alone.scores[0], abs=0.02)


def test_a_face_off_its_box_is_refined_back_onto_it(detector, group):
    found = detector.detect(group).take(range(4))
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    off = found.boxes + 0.12 * np.hstack([sides, sides])
    again = follow(detector.search(group), off.astype(np.float32), np.ones(4, np.bool_))
    assert (again.scores > 0.9).all()
    assert np.diagonal(iou(again.boxes, found.boxes)).min() > 0.75


def test_a_wall_confirms_nobody(detector):
    wall = np.random.default_rng(0).integers(90, 140, (300, 400, 3), np.uint8)
    boxes = np.array([[20, 20, 120, 120], [200, 100, 300, 200]], np.float32)
    assert (detector.search(wall).confirm(boxes).scores == 0).all()


def test_the_tiles_of_all_frames_find_what_one_scan_finds(detector, group):
    whole = detector.detect(group)
    tiles = tiled_levels(group.shape[:2], pyramid_scales(group.shape[:2], 40))
    search = detector.search(group)
    parts = [search.scan([tile]).boxes for tile in tiles]
    best = iou(whole.boxes[whole.scores > 0.95], np.concatenate(parts)).max(axis=1)
    assert len(best) >= 4
    assert best.min() > 0.6


def test_known_faces_are_not_found_again(detector, group):
    found = detector.detect(group)
    tiles = tiled_levels(group.shape[:2], pyramid_scales(group.shape[:2], 40))
    again = detector.search(group).scan(tiles, found.boxes)
    assert iou(again.boxes, found.boxes).max(initial=0) < 0.4
    others = detector.search(group).scan(tiles, found.boxes[1:])
    assert iou(others.boxes, found.boxes[:1]).max(initial=0) > 0.6


def test_faces_of_half_the_size_are_what_a_sweep_adds(astronaut):
    """A face of 30 pixels, too small for a live view that looks for 40."""
    wall = np.full((360, 640, 3), 120, np.uint8)
    small = cv2.resize(astronaut, None, fx=0.22, fy=0.22, interpolation=cv2.INTER_AREA)
    wall[100 : 100 + len(small), 300 : 300 + len(small)] = small
    detector = load_detector(DetectorConfig(min_face_px=40, min_score=0.9), "cpu")
    search, shape = detector.search(wall), wall.shape[:2]
    scale = pyramid_scales(shape, 40)[0]
    assert len(detector.detect(wall)) == 0
    assert len(search.scan(tiled_levels(shape, [2 * scale, 2 * 0.709 * scale]))) == 1


class TestFramePyramid:
    def test_crops_of_any_size_show_their_region(self):
        """A picture of its own coordinates: each crop must average to its middle."""
        rows, columns = np.mgrid[0:720, 0:1280]
        image = np.dstack([rows / 720, columns / 1280, rows * 0]) * 255
        pyramid = FramePyramid(image.astype(np.uint8))
        regions = np.array(
            [[0, 0, 20, 20], [100, 50, 148, 98], [200, 100, 500, 400], [0, 0, 1280, 720]],
            np.float32,
        )
        crops = pyramid.crops(regions, 48).astype(float)
        assert crops.shape == (4, 48, 48, 3)
        middles = (regions[:, :2] + regions[:, 2:]) / 2
        assert crops[..., 1].mean(axis=(1, 2)) / 255 * 1280 == pytest.approx(middles[:, 0], abs=6)
        assert crops[..., 0].mean(axis=(1, 2)) / 255 * 720 == pytest.approx(middles[:, 1], abs=6)

    def test_a_crop_is_the_area_average_within_a_few_grey_levels(self, astronaut):
        pyramid = FramePyramid(astronaut)
        region = np.array([[150, 10, 400, 260]], np.float32)
        exact = cv2.resize(astronaut[10:260, 150:400], (48, 48), interpolation=cv2.INTER_AREA)
        difference = np.abs(pyramid.crops(region, 48)[0].astype(int) - exact)
        assert difference.mean() < 3

    @pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 7), (1080, 1920)])
    def test_no_crops_are_no_crops_and_tiny_frames_do_no_harm(self, shape):
        pyramid = FramePyramid(np.zeros((*shape, 3), np.uint8))
        assert pyramid.crops(np.zeros((0, 4), np.float32), 24).shape == (0, 24, 24, 3)
        whole = np.array([[0, 0, shape[1], shape[0]]], np.float32)
        assert pyramid.crops(whole, 24).max() == 0


def test_a_detector_made_for_small_faces_finds_them(astronaut):
    small = cv2.resize(astronaut, None, fx=0.16, fy=0.16, interpolation=cv2.INTER_AREA)
    wall = np.full((240, 320, 3), 120, np.uint8)
    wall[60 : 60 + len(small), 100 : 100 + len(small)] = small
    found = {
        size: len(Mtcnn(load_detector(DetectorConfig(), "cpu")._nets, size, min_score=0.9)
                  .detect(wall))
        for size in (20, 40)
    }  # fmt: skip
    assert found == {20: 1, 40: 0}
