"""Our OpenVINO networks against facenet-pytorch's own, and weights that cannot be trusted.

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
import torch
from facenet_pytorch import MTCNN

from attendance.config import DetectorConfig, EmbedderConfig
from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.errors import ModelError
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


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture(scope="module")
def state_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .pt file as people have them: a state dict of facenet-pytorch's module."""
    module = facenet_from_graph(ModelStore(Path()).path(weights.DEFAULT))
    file = tmp_path_factory.mktemp("weights") / "casia.pt"
    torch.save(module.state_dict(), file)
    return file


class TestOwnWeights:
    """Weights from a file: the same embeddings as from their source."""

    def test_a_state_dict_gives_the_embeddings_of_its_source(
        self,
        store: ModelStore,
        state_file: Path,
        astronaut: Image,
        detector: Mtcnn,
        embedder: FaceNet,
    ) -> None:
        entry = store.fetch("vggface2", file=state_file)
        assert entry.problem == ""
        assert store.use("vggface2").is_active
        own = load_embedder(EmbedderConfig(device="cpu"), store)
        face = detector.detect(astronaut).take([0])
        assert float(own.embed(astronaut, face)[0] @ embedder.embed(astronaut, face)[0]) > 0.999
        assert own.model_id == entry.model_id != embedder.model_id

    def test_an_onnx_file_of_another_dimension(
        self, store: ModelStore, tmp_path: Path, astronaut: Image
    ) -> None:
        file = tmp_path / "mean.onnx"
        file.write_bytes(mean_colour_onnx())
        store.fetch("mean-colour", file=file)
        store.use("mean-colour")
        own = load_embedder(EmbedderConfig(device="cpu"), store)
        boxes = np.array([[0, 0, 100, 100], [300, 300, 400, 400]], np.float32)
        assert own.dimension == 3
        crop = astronaut[0:112, 0:112, ::-1].astype(np.float32)
        colour = (crop.mean(axis=(0, 1)) - 127.5) / 128
        expected = colour / np.linalg.norm(colour)
        faces = Detections(boxes, np.zeros((2, 5, 2), np.float32), np.ones(2, np.float32))
        assert own.embed(astronaut, faces)[0] == pytest.approx(expected, abs=0.02)

    def test_the_same_file_has_the_same_model_id_in_another_school(
        self, tmp_path: Path, store: ModelStore
    ) -> None:
        file = tmp_path / "mean.onnx"
        file.write_bytes(mean_colour_onnx())
        elsewhere = ModelStore(tmp_path / "elsewhere")
        assert store.fetch("own", file=file).model_id == elsewhere.fetch("own", file=file).model_id


class TestWeightsThatCannotBeTrusted:
    """One sentence that says what and where; nothing installed, nothing random."""

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("gone.pt", None, "there is no file"),
            ("gone.onnx", None, "there is no file"),
            ("cut.pt", "half a state dict", "does not hold the weights"),
            ("text.pt", "not a model", "does not hold the weights"),
            ("other.pt", "another network", "does not hold the weights"),
            ("text.onnx", "not a model", "is not a model OpenVINO can read"),
            ("cut.onnx", "half a net", "is not a model OpenVINO can read"),
            ("pnet.onnx", "a detector", "an embedder"),
            ("model.h5", "not a model", "a .pt or an .onnx file, not '.h5'"),
        ],
    )
    def test_a_file_is_refused(
        self, store: ModelStore, tmp_path: Path, state_file: Path, name: str, content: str | None,
        message: str,
    ) -> None:  # fmt: skip
        file = tmp_path / name
        if content is not None:
            file.write_bytes(foreign(content, state_file))
        with pytest.raises(ModelError, match=message) as caught:
            store.fetch("own", file=file)
        assert_one_sentence(caught.value)
        assert name in str(caught.value), "the file that was given, not a copy of it"
        assert "own" not in store.names()

    @pytest.mark.parametrize("name", ["vggface2", "never-heard-of"])
    def test_weights_that_are_not_installed(self, store: ModelStore, name: str) -> None:
        with pytest.raises(ModelError, match="are not installed") as caught:
            store.use(name)
        assert_one_sentence(caught.value)
        assert store.active() == weights.DEFAULT

    @pytest.mark.parametrize("damage", ["cut short", "deleted"])
    def test_an_installed_file_that_changed(
        self, store: ModelStore, tmp_path: Path, damage: str
    ) -> None:
        file = tmp_path / "mean.onnx"
        file.write_bytes(mean_colour_onnx())
        store.fetch("own", file=file)
        store.use("own")
        installed = tmp_path / "models" / "own" / "model.onnx"
        if damage == "deleted":
            installed.unlink()
        else:
            installed.write_bytes(mean_colour_onnx()[:50])
        with pytest.raises(ModelError, match=r"model\.onnx is") as caught:
            load_embedder(EmbedderConfig(device="cpu"), store)
        assert_one_sentence(caught.value)
        (entry,) = (entry for entry in store.entries() if entry.name == "own")
        assert entry.problem == str(caught.value)

    @pytest.mark.parametrize("content", ['{"source', "{}", "[]", "\xff"])
    def test_an_installed_record_that_is_cut_short_or_foreign(
        self, store: ModelStore, tmp_path: Path, content: str
    ) -> None:
        file = tmp_path / "mean.onnx"
        file.write_bytes(mean_colour_onnx())
        store.fetch("own", file=file)
        (tmp_path / "models" / "own" / "source.json").write_bytes(content.encode("latin-1"))
        with pytest.raises(ModelError, match=r"source\.json") as caught:
            store.use("own")
        assert_one_sentence(caught.value)
        assert store.entries()[-1].problem, "the list shows what is wrong and does not die of it"

    def test_a_package_that_is_missing_cut_short_or_foreign(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ModelError, match="is not installed"):
            weights.packaged("no_such_weights", "net.pb", "0" * 64)
        package = tmp_path / "some_weights"
        package.mkdir()
        (package / "__init__.py").write_text("raise RuntimeError('is never imported')")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ModelError, match=r"net\.pb is missing"):
            weights.packaged("some_weights", "net.pb", "0" * 64)
        (package / "net.pb").write_bytes(b"cut short")
        with pytest.raises(ModelError, match="not the published one") as caught:
            weights.packaged("some_weights", "net.pb", "0" * 64)
        assert_one_sentence(caught.value)


def assert_one_sentence(error: ModelError) -> None:
    assert "\n" not in str(error)
    assert len(str(error)) < 400


def foreign(content: str, state_file: Path) -> bytes:
    """What stands in a file that is no embedder."""
    if content == "half a state dict":
        whole = state_file.read_bytes()
        return whole[: len(whole) // 2]
    if content == "another network":
        other = state_file.with_name("other.pt")
        torch.save(torch.nn.Linear(3, 2).state_dict(), other)
        return other.read_bytes()
    detector = weights.mtcnn_path("pnet.onnx").read_bytes()
    parts = {"a detector": detector, "half a net": detector[: len(detector) // 2]}
    return parts.get(content, content.encode())


def mean_colour_onnx() -> bytes:
    """An ONNX file that takes (n, 160, 160, 3) and gives the mean colour, (n, 3).

    Written field by field, as onnx.proto numbers them: a test needs no exporter for one node.
    """

    def varint(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])

    def field(number: int, value: int | bytes) -> bytes:
        if isinstance(value, int):
            return varint(number << 3) + varint(value)
        return varint(number << 3 | 2) + varint(len(value)) + value

    def port(name: bytes, *sizes: int) -> bytes:
        free = field(1, field(2, b"n"))
        fixed = [field(1, field(1, size)) for size in sizes]
        tensor = field(1, 1) + field(2, free + b"".join(fixed))
        return field(1, name) + field(2, field(1, tensor))

    axes = field(1, b"axes") + field(8, 1) + field(8, 2) + field(20, 7)
    keepdims = field(1, b"keepdims") + field(3, 0) + field(20, 2)
    node = field(1, b"x") + field(2, b"y") + field(4, b"ReduceMean")
    node += field(5, axes) + field(5, keepdims)
    graph = field(1, node) + field(2, b"g")
    graph += field(11, port(b"x", 160, 160, 3)) + field(12, port(b"y", 3))
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


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
