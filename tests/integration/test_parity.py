"""Our OpenVINO networks against facenet-pytorch's own.

The astronaut of scikit-image is always there; what needs many faces takes them from the folder
that ATTENDANCE_DATA names.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from facenet_pytorch import MTCNN

from attendance.config import DetectorConfig, EmbedderConfig
from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.geometry import iou
from attendance.evaluation.detection import partners
from attendance.evaluation.embedding import main_face, read_image
from attendance.vision import weights
from attendance.vision.engines import OpenVinoEngine
from attendance.vision.facenet import FaceNet
from attendance.vision.loading import load_detector, load_embedder
from attendance.vision.mtcnn import Mtcnn
from attendance.vision.mtcnn_nets import openvino_mtcnn
from attendance.vision.torch_nets import facenet_from_graph, facenet_net, mtcnn_nets
from attendance.vision.weights import ModelStore

# OpenVINO still converts by way of torch.jit, which torch is about to retire.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")

MIN_FACE_PX = 40


@pytest.fixture(scope="module")
def data() -> Path:
    folder = os.environ.get("ATTENDANCE_DATA")
    if not folder:
        pytest.skip("ATTENDANCE_DATA is not set: it names the folder of evaluation data")
    return Path(folder)


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])


@pytest.fixture(scope="module")
def astronauts(astronaut: Image) -> list[Image]:
    """The same face nearer, farther, mirrored, darker, softer and cut off."""
    return [
        astronaut,
        np.ascontiguousarray(astronaut[:, ::-1]),
        cv2.resize(astronaut, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
        cv2.resize(astronaut, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_LINEAR),
        (astronaut * 0.5).astype(np.uint8),
        cv2.GaussianBlur(astronaut, (0, 0), 2),
        np.ascontiguousarray(astronaut[20:300, 120:330]),
        np.ascontiguousarray(astronaut[50:, 180:]),
    ]  # type: ignore[list-item]


@pytest.fixture(scope="module")
def detector() -> Mtcnn:
    return load_detector(DetectorConfig(min_face_px=MIN_FACE_PX, min_score=0.0), "cpu")


@pytest.fixture(scope="module")
def exact() -> Mtcnn:
    """The detector in f32, whatever the processor has."""
    return Mtcnn(openvino_mtcnn(OpenVinoEngine("f32")), MIN_FACE_PX)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> FaceNet:
    store = ModelStore(tmp_path_factory.mktemp("models"))
    return load_embedder(EmbedderConfig(device="cpu"), store)


@pytest.fixture(scope="module")
def reference() -> FaceNet:
    path = ModelStore(Path()).path(weights.DEFAULT)
    return FaceNet(facenet_net(facenet_from_graph(path)), "reference", "torch-cpu-f32", 512)


@pytest.fixture(scope="module")
def theirs() -> MTCNN:
    return MTCNN(keep_all=True, min_face_size=MIN_FACE_PX, device="cpu")


class TestEmbeddings:
    """The same face gives the same embedding, whichever engine computes."""

    def test_of_the_astronaut(
        self, astronauts: list[Image], detector: Mtcnn, embedder: FaceNet, reference: FaceNet
    ) -> None:
        assert_alike(astronauts, detector, embedder, reference)

    @pytest.mark.data
    def test_of_twenty_people(
        self, data: Path, detector: Mtcnn, embedder: FaceNet, reference: FaceNet
    ) -> None:
        people = sorted((data / "lfw-view1" / "images").iterdir())
        chosen = people[:: len(people) // 20][:20]
        photos = [read_image(min(person.iterdir())) for person in chosen]
        assert len(photos) == 20
        assert_alike(photos, detector, embedder, reference)

    def test_do_not_depend_on_the_batch(
        self, astronaut: Image, detector: Mtcnn, embedder: FaceNet
    ) -> None:
        face = detector.detect(astronaut).take([0])
        boxes = np.concatenate([face.boxes + offset for offset in range(11)])
        marks = np.concatenate([face.landmarks + offset for offset in range(11)])
        shifted = Detections(boxes, marks, np.ones(11, np.float32))
        together = embedder.embed(astronaut, shifted)
        alone = np.concatenate([embedder.embed(astronaut, shifted.take([i])) for i in range(11)])
        assert together == pytest.approx(alone, abs=1e-4)
        assert np.linalg.norm(together, axis=1) == pytest.approx(1.0)

    def test_of_nobody_are_none(self, astronaut: Image, embedder: FaceNet) -> None:
        assert embedder.embed(astronaut, Detections.empty()).shape == (0, 512)


def assert_alike(
    photos: Sequence[Image], detector: Mtcnn, embedder: FaceNet, reference: FaceNet
) -> None:
    cosines = []
    for photo in photos:
        faces = detector.detect(photo)
        assert len(faces), "every one of these photos shows a face"
        face = faces.take([main_face(faces.boxes, photo.shape[:2])])
        cosines.append(float(embedder.embed(photo, face)[0] @ reference.embed(photo, face)[0]))
    assert min(cosines) >= 0.999, cosines


class TestDetections:
    """The same faces as `facenet_pytorch.MTCNN` with the same settings."""

    def test_of_the_astronaut(self, astronauts: list[Image], exact: Mtcnn, theirs: MTCNN) -> None:
        n_ours, n_theirs, n_both, worst = agreement(astronauts, exact, theirs)
        assert (n_ours, n_theirs) == (n_both, n_both)
        assert n_both >= len(astronauts)
        assert worst > 0.95

    @pytest.mark.data
    def test_of_fifty_groups(self, data: Path, detector: Mtcnn, theirs: MTCNN) -> None:
        paths = sorted((data / "wider-groups" / "images").rglob("*.jpg"))
        photos = [read_image(path) for path in paths[:: len(paths) // 50][:50]]
        n_ours, n_theirs, n_both, _ = agreement(photos, detector, theirs)
        assert len(photos) == 50
        assert n_both / n_theirs >= 0.98
        assert n_both / n_ours >= 0.98

    def test_landmarks_of_the_astronaut(
        self, astronaut: Image, exact: Mtcnn, theirs: MTCNN
    ) -> None:
        """Within 2 % of the face: of two boxes with equal scores each may keep the other one."""
        _, _, points = theirs.detect(astronaut[:, :, ::-1].copy(), landmarks=True)
        assert exact.detect(astronaut).landmarks[0] == pytest.approx(points[0], abs=1.8)

    def test_of_an_empty_wall_are_none(self, detector: Mtcnn) -> None:
        assert len(detector.detect(np.full((240, 320, 3), 128, np.uint8))) == 0


def agreement(
    photos: Sequence[Image], detector: Mtcnn, theirs: MTCNN
) -> tuple[int, int, int, float]:
    """Faces we found, faces they found, faces both found at IoU 0.5, the lowest of those IoUs."""
    n_ours = n_theirs = n_both = 0
    worst = 1.0
    for photo in photos:
        ours = detector.detect(photo).boxes
        found, _ = theirs.detect(np.ascontiguousarray(photo[:, :, ::-1]))
        reference = np.zeros((0, 4)) if found is None else found
        reference = reference.astype(np.float32)
        partner = partners(ours, reference, 0.5)
        n_ours, n_theirs = n_ours + len(ours), n_theirs + len(reference)
        n_both += int((partner >= 0).sum())
        rows = np.flatnonzero(partner >= 0)
        overlaps = iou(ours, reference)[rows, partner[rows]]
        worst = min(worst, float(overlaps.min(initial=1.0)))
    return n_ours, n_theirs, n_both, worst


@pytest.mark.parametrize(("net", "side"), [("p", 12), ("p", 37), ("r", 24), ("o", 48)])
@pytest.mark.parametrize("count", [1, 5])
def test_each_mtcnn_net_has_the_constants_of_facenet_pytorch(
    net: str, side: int, count: int
) -> None:
    """Noise through both: any constant that differed would show."""
    n = 1 if net == "p" else count
    size = (n, side, side + count - 1 if net == "p" else side, 3)
    noise = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    theirs = getattr(mtcnn_nets(), net)(noise)
    exact = getattr(openvino_mtcnn(OpenVinoEngine("f32")), net)(noise)
    fast = getattr(openvino_mtcnn(OpenVinoEngine("auto")), net)(noise)
    assert exact.shape == fast.shape == theirs.shape
    assert np.abs(exact - theirs).max() < 1e-3
    assert np.abs(fast - theirs).max() < 0.25, "scores are logits, of which 0.25 is little"


def test_a_running_system_on_a_cpu_never_imports_torch(tmp_path: Path) -> None:
    """Importing torch costs seconds and a few hundred megabytes that nothing here would use."""
    program = """
import json, sys
from pathlib import Path
import numpy as np
from attendance.config import DetectorConfig, EmbedderConfig
from attendance.core.domain import Detections
from attendance.vision.loading import load_detector, load_embedder
from attendance.vision.weights import ModelStore

detector = load_detector(DetectorConfig(), "cpu")
embedder = load_embedder(EmbedderConfig(device="cpu"), ModelStore(Path(sys.argv[1])))
image = np.zeros((120, 160, 3), np.uint8)
one = np.ones(1, np.float32)
face = Detections(np.array([[10, 10, 90, 90]], np.float32), np.ones((1, 5, 2), np.float32), one)
faces, shape = len(detector.detect(image)), embedder.embed(image, face).shape
heavy = sorted({"torch", "torchvision", "facenet_pytorch"} & set(sys.modules))
print(json.dumps([faces, shape, heavy]))
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == [0, [1, 512], []]


def test_boxes_and_embeddings_are_float32(astronaut: Image, detector: Mtcnn) -> None:
    found = detector.detect(astronaut)
    arrays: tuple[FloatArray, ...] = (found.boxes, found.landmarks, found.scores)
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
