"""What ours is measured beside: each finds and embeds every face of every frame."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np

from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.errors import AttendanceError
from attendance.core.geometry import squared
from attendance.core.scanning import whole_levels
from attendance.vision.embedder import NamedEmbedder
from attendance.vision.mtcnn import Mtcnn
from attendance.vision.opencv_zoo import zoo_models
from attendance.vision.reference import FacenetPytorch

YUNET_SCORE, YUNET_NMS, YUNET_TOP = 0.9, 0.3, 5000
DLIB_UPSAMPLED = 1

T = TypeVar("T")
Stages = dict[str, float]


class Baseline(Protocol):
    """Something that treats every frame as if it were the first.

    Attributes:
        variant: versions and settings, for the report.
        faces: how many the last frame had.
    """

    variant: str
    faces: int

    def process(self, image: Image) -> Stages:
        """Find and embed every face. Returns: milliseconds by stage."""
        ...


class FullScan:
    """Our own engine used that way: full scan and every face embedded, every frame."""

    def __init__(self, detector: Mtcnn, embedder: NamedEmbedder, min_score: float) -> None:
        self._detector = detector
        self._embedder = embedder
        self._min_score = min_score
        self.variant = embedder.variant
        self.faces = 0

    def process(self, image: Image) -> Stages:
        """See `Baseline.process`."""
        found, stages = self.scan(image)
        _, embed_ms = timed(lambda: self._embedder.embed(image, found))
        self.faces = len(found)
        return {**stages, "embed": embed_ms}

    def scan(self, image: Image) -> tuple[Detections, Stages]:
        """The faces as `Mtcnn.detect_fast` finds them, stage by stage."""
        shape = (image.shape[0], image.shape[1])
        tiles = whole_levels(shape, self._detector.min_face_px)
        search, pyramid_ms = timed(lambda: self._detector.search(image))
        proposed, p_ms = timed(lambda: search.propose(tiles))
        refined, r_ms = timed(lambda: search.refine(squared(proposed)))
        found, o_ms = timed(lambda: search.accept(*refined))
        stages = {"pyramid": pyramid_ms, "p-net": p_ms, "r-net": r_ms, "o-net": o_ms}
        return found.take(found.scores >= self._min_score), stages


class Reference:
    """facenet-pytorch."""

    def __init__(self, model: FacenetPytorch) -> None:
        self._model = model
        self.variant = model.variant
        self.faces = 0
        self.boxes = np.zeros((0, 4), np.float32)

    def detect(self, image: Image) -> FloatArray:
        """Its boxes alone. Returns: (n, 4)."""
        return self._model.detect(image)

    def process(self, image: Image) -> Stages:
        """See `Baseline.process`."""
        self.boxes, detect_ms = timed(lambda: self._model.detect(image))
        self.faces = len(self.boxes)
        if not self.faces:
            return {"detect": detect_ms, "crop": 0.0, "embed": 0.0}
        crops, crop_ms = timed(lambda: self._model.crop(image, self.boxes))
        _, embed_ms = timed(lambda: self._model.embed(crops))
        return {"detect": detect_ms, "crop": crop_ms, "embed": embed_ms}


class YunetSface:
    """OpenCV's detector and recogniser, frames at full size, faces from `min_face_px` on.

    Args:
        cache: where the models are kept.
        min_face_px: smaller faces are not embedded.

    Raises:
        AttendanceError: the models cannot be fetched, or this OpenCV cannot run them.
    """

    def __init__(self, cache: Path, min_face_px: int) -> None:
        detector, recogniser = (str(path) for path in zoo_models(cache))
        self._min_face_px = min_face_px
        try:
            settings = ("", (320, 320), YUNET_SCORE, YUNET_NMS, YUNET_TOP)
            self._detector = cv2.FaceDetectorYN.create(detector, *settings)
            self._recogniser = cv2.FaceRecognizerSF.create(recogniser, "")
            self.process(np.zeros((320, 320, 3), np.uint8))
        except (cv2.error, AttributeError) as error:
            raise AttendanceError(f"OpenCV {cv2.__version__} cannot run them: {error}") from error
        self.variant = f"OpenCV {cv2.__version__} DNN, YuNet 2023mar and SFace 2021dec int8bq"
        self.faces = 0

    def process(self, image: Image) -> Stages:
        """See `Baseline.process`."""
        rows, detect_ms = timed(lambda: self._detect(image))
        _, embed_ms = timed(lambda: [self._embed(image, row) for row in rows])
        self.faces = len(rows)
        return {"detect": detect_ms, "embed": embed_ms}

    def _detect(self, image: Image) -> FloatArray:
        self._detector.setInputSize((image.shape[1], image.shape[0]))
        _, rows = self._detector.detect(image)
        found = np.zeros((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)
        return found[found[:, 3] >= self._min_face_px]

    def _embed(self, image: Image, row: FloatArray) -> Any:
        return self._recogniser.feature(self._recogniser.alignCrop(image, row))


class DlibHog:
    """dlib's HOG detector as `face_recognition` calls it, its descriptor where that is there.

    Raises:
        AttendanceError: dlib is not installed.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("dlib") is None:
            raise AttendanceError("dlib is not installed: `pip install 'attendance[bench]'`")
        dlib: Any = importlib.import_module("dlib")
        self._detector = dlib.get_frontal_face_detector()
        self._describe = _descriptor(dlib)
        kind = "HOG" if self._describe is None else "HOG and ResNet descriptor"
        note = " (detection alone: no face_recognition_models)" if self._describe is None else ""
        self.variant = f"dlib {dlib.__version__}, {kind}, upsampled once{note}"
        self.faces = 0

    def process(self, image: Image) -> Stages:
        """See `Baseline.process`."""
        rgb = np.ascontiguousarray(image[:, :, ::-1])
        boxes, detect_ms = timed(lambda: self._detector(rgb, DLIB_UPSAMPLED))
        self.faces = len(boxes)
        describe = self._describe
        if describe is None:
            return {"detect": detect_ms}
        _, embed_ms = timed(lambda: [describe(rgb, box) for box in boxes])
        return {"detect": detect_ms, "embed": embed_ms}


def _descriptor(dlib: Any) -> Callable[[Image, Any], object] | None:
    """From an RGB image and a rectangle to a descriptor; None without the networks' files.

    `face_recognition_models` itself is not imported: it wants a setuptools of long ago.
    """
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or found.origin is None:
        return None
    models = Path(found.origin).parent / "models"
    points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(
        str(models / "dlib_face_recognition_resnet_model_v1.dat")
    )
    return lambda rgb, box: network.compute_face_descriptor(rgb, points(rgb, box), 1)


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """What a call gives, and the milliseconds it took."""
    began = time.perf_counter()
    result = call()
    return result, (time.perf_counter() - began) * 1000
