"""SFace: the same embeddings as OpenCV's own runner gives, from our graph and our alignment."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from attendance.bootstrap import School
from attendance.config import Config, DetectorConfig, EmbedderConfig
from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.errors import ModelError
from attendance.core.flips import with_flips
from attendance.vision.alignment import aligned_crops
from attendance.vision.embedder import NamedEmbedder
from attendance.vision.loading import load_detector, load_embedder, load_sface
from attendance.vision.variants import choose_for
from attendance.vision.weights import DEFAULT, SFACE, ModelStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return ModelStore(tmp_path_factory.mktemp("school") / "models")


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])


@pytest.fixture(scope="module")
def face(astronaut: Image) -> Detections:
    return load_detector(DetectorConfig(), "cpu").detect(astronaut).take([0])


@pytest.fixture(scope="module")
def exact(store: ModelStore) -> NamedEmbedder:
    return load_sface(store, "f32")


class OpenCvSface:
    """OpenCV 4.14's runner of the very file, with its own alignment."""

    def __init__(self, file: Path) -> None:
        self._model = cv2.FaceRecognizerSF.create(str(file), "")

    def embed(self, image: Image, face: Detections) -> FloatArray:
        x1, y1, x2, y2 = face.boxes[0]
        row = [x1, y1, x2 - x1, y2 - y1, *face.landmarks[0].ravel(), 1]
        raw = self._model.feature(self._model.alignCrop(image, np.array(row, np.float32)))
        return np.asarray(raw / np.linalg.norm(raw), np.float32)


@pytest.mark.parametrize("turned_deg", [0, 25, -40])
def test_embeddings_equal_opencvs(
    turned_deg: int, astronaut: Image, face: Detections, store: ModelStore, exact: NamedEmbedder
) -> None:
    height, width = astronaut.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), turned_deg, 1.0)
    image = np.asarray(cv2.warpAffine(astronaut, turn, (width, height)), np.uint8)
    landmarks = np.float32(face.landmarks @ turn[:, :2].T + turn[:, 2])
    moved = Detections(face.boxes, landmarks, face.scores)
    theirs = OpenCvSface(store.path(SFACE)).embed(image, moved)
    assert float(exact.embed(image, moved)[0] @ theirs[0]) >= 0.999


def test_the_precision_of_this_processor_changes_nothing_that_matters(
    astronaut: Image, face: Detections, store: ModelStore, exact: NamedEmbedder
) -> None:
    quick = load_embedder(EmbedderConfig(device="cpu"), store, name=SFACE)
    assert quick.model_id == exact.model_id
    assert float(quick.embed(astronaut, face)[0] @ exact.embed(astronaut, face)[0]) >= 0.999


def test_a_face_and_its_mirror_image_are_one_person(
    astronaut: Image, face: Detections, exact: NamedEmbedder
) -> None:
    """With the eyes taken for each other the mirrored crop would stand on its head."""
    as_it_is, flipped = with_flips(exact, astronaut, face)[:, 0]
    assert as_it_is @ flipped > 0.9
    assert np.linalg.norm([as_it_is, flipped], axis=1) == pytest.approx(1.0)


def test_a_large_face_is_averaged_not_skipped_through(astronaut: Image, face: Detections) -> None:
    """A photo four times as large shows the same crop, not every fourth pixel of it."""
    larger = np.repeat(np.repeat(astronaut, 4, axis=0), 4, axis=1)
    chance = np.random.default_rng(0)
    noisy = np.clip(larger + chance.normal(0, 40, larger.shape), 0, 255).astype(np.uint8)
    small = aligned_crops(astronaut, face.landmarks)[0].astype(int)
    large = aligned_crops(noisy, face.landmarks * 4 + 1.5)[0].astype(int)
    assert np.abs(small - large).mean() < 16


def test_nobody_and_faces_at_the_edge(astronaut: Image, exact: NamedEmbedder) -> None:
    assert exact.embed(astronaut, Detections.empty()).shape == (0, exact.dimension)
    outside = np.full((1, 5, 2), -500, np.float32) + np.eye(5, 2, dtype=np.float32)
    one_point = np.zeros((1, 5, 2), np.float32)
    crops = aligned_crops(astronaut, np.concatenate([outside, one_point]))
    assert crops.shape == (2, 112, 112, 3)
    assert not crops[0].any()


def test_int8_is_refused_by_name_and_never_taken_by_itself(store: ModelStore) -> None:
    assert choose_for(store, "auto", SFACE).variant in {"bf16", "f32"}
    with pytest.raises(ModelError, match="FaceNet"):
        choose_for(store, "int8", SFACE)


def test_another_file_is_not_taken_for_sface(tmp_path: Path) -> None:
    file = tmp_path / "other.onnx"
    file.write_bytes(b"something else")
    with pytest.raises(ModelError, match="published"):
        ModelStore(tmp_path / "models").fetch(SFACE, file=file)


def test_a_file_that_was_fetched_is_the_same_model(tmp_path: Path, store: ModelStore) -> None:
    other = ModelStore(tmp_path / "models")
    entry = other.fetch(SFACE, file=store.path(SFACE))
    assert (entry.problem, entry.kind) == ("", "sface")
    assert entry.model_id == store.model_id(SFACE) != store.model_id(DEFAULT)


def test_a_session_keeps_the_embedder_it_was_opened_with(tmp_path: Path) -> None:
    """Its gallery is of that model; switching in mid-lesson must not end the lesson."""
    school = School(tmp_path, Config())
    before = school.registry.gallery([], school.model_id)
    school.models.use(SFACE)
    assert school.embedder().dimension == 128
    assert school.pipeline(before, school.rules().thresholds) is not None
    school.close()


def test_weights_that_went_away_are_named_with_a_remedy(store: ModelStore) -> None:
    with pytest.raises(ModelError, match="models fetch"):
        store.name_of("gone-0123")
