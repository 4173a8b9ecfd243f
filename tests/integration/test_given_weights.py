"""Weights from a file: the same embeddings as from their source, or one sentence why not."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from attendance.config import DetectorConfig, EmbedderConfig
from attendance.core.domain import Detections, Image
from attendance.core.errors import ModelError
from attendance.vision import weights
from attendance.vision.facenet import FaceNet
from attendance.vision.loading import load_detector, load_embedder
from attendance.vision.mtcnn import Mtcnn
from attendance.vision.torch_nets import facenet_from_graph
from attendance.vision.weights import ModelStore

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])


@pytest.fixture(scope="module")
def detector() -> Mtcnn:
    return load_detector(DetectorConfig(min_face_px=40, min_score=0.0), "cpu")


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> FaceNet:
    store = ModelStore(tmp_path_factory.mktemp("models"))
    return load_embedder(EmbedderConfig(device="cpu"), store)


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
