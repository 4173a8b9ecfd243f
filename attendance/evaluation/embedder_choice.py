"""Which embedders a report shows side by side, as they are written on the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from attendance.core.domain import Detections, FloatArray, Image
from attendance.evaluation.faces import FaceEmbedder
from attendance.evaluation.protocols import ProtocolError
from attendance.vision.crop import CROP_PX, face_crops
from attendance.vision.weights import ModelStore, kind_of

if TYPE_CHECKING:
    from attendance.config import EmbedderConfig

FUSED = "fused"
_PATTERN = re.compile(r"([a-z0-9][a-z0-9._-]*)(?::(f32|bf16|int8))?(?:@margin(\d{1,3}))?")
_FORM = f"NAME, NAME:f32, NAME:bf16 or NAME:int8, FaceNet's also with @margin0, or {FUSED}"


@dataclass(frozen=True)
class EmbedderChoice:
    """One embedder to measure.

    Attributes:
        text: as it was written; names it in the report.
        model: name of the weights.
        precision: f32, bf16 or int8; empty for what the settings say.
        margin_px: around the box, of 160; None for the crop of the embedder.
    """

    text: str
    model: str
    precision: str
    margin_px: int | None


def read_choices(text: str) -> tuple[tuple[EmbedderChoice, ...], tuple[str, str] | None]:
    """The embedders, and the FaceNet and the SFace that are fused, if that was asked for.

    Raises:
        ProtocolError: one of them is not written as it has to be, or two are alike.

    >>> [one.precision for one in read_choices("casia-webface:f32,sface")[0]]
    ['f32', '']
    >>> read_choices("casia-webface:f32,sface,fused")[1]
    ('casia-webface:f32', 'sface')
    """
    names = [name.strip() for name in text.split(",")]
    if len(set(names)) < len(names):
        raise ProtocolError(f"--embedders {text}: each of them once")
    choices = tuple(_choice(name) for name in names if name != FUSED)
    if not choices:
        raise ProtocolError(f"--embedders {text}: name one beside '{FUSED}': {_FORM}")
    return choices, _fused(choices) if FUSED in names else None


def _choice(text: str) -> EmbedderChoice:
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ProtocolError(f"--embedders: '{text}' is none; write {_FORM}, with commas between")
    model, precision, margin = match.groups()
    margin_px = None if margin is None else int(margin)
    if margin_px is not None and (kind_of(model) != "facenet" or margin_px >= CROP_PX):
        raise ProtocolError(
            f"--embedders: '{text}': a margin is for FaceNet's crop, from 0 to {CROP_PX - 1}"
        )
    return EmbedderChoice(text, model, precision or "", margin_px)


def _fused(choices: tuple[EmbedderChoice, ...]) -> tuple[str, str]:
    """The first of each kind."""
    first = {kind_of(one.model): one.text for one in reversed(choices)}
    if set(first) != {"facenet", "sface"}:
        raise ProtocolError(f"--embedders: '{FUSED}' takes a FaceNet and sface beside it")
    return first["facenet"], first["sface"]


def load_choice(
    choice: EmbedderChoice, settings: EmbedderConfig, store: ModelStore
) -> FaceEmbedder:
    """The embedder; on the CPU where a precision is named.

    Raises:
        ModelError: its weights are not installed, or that variant is not built or not to be had.
    """
    from attendance.vision.loading import load_embedder

    if choice.precision:
        settings = settings.model_copy(update={"precision": choice.precision, "device": "cpu"})
    embedder = load_embedder(settings, store, name=choice.model)
    return embedder if choice.margin_px is None else OtherMargin(embedder, choice.margin_px)


class OtherMargin:
    """A FaceNet whose crops have another margin than `model_id` stands for.

    Args:
        embedder: of FaceNet's crops.
        margin_px: both sides together, of 160.
    """

    def __init__(self, embedder: FaceEmbedder, margin_px: int) -> None:
        self._embedder = embedder
        self._margin_px = margin_px
        self.model_id = f"{embedder.model_id}@margin{margin_px}"
        self.variant = embedder.variant
        self.dimension = embedder.dimension

    def crops(self, image: Image, faces: Detections) -> npt.NDArray[np.uint8]:
        """These faces of a BGR image. Returns: (n, 160, 160, 3) RGB."""
        return face_crops(image, faces.boxes, self._margin_px)

    def embed_crops(self, crops: npt.NDArray[np.uint8]) -> FloatArray:
        """Embeddings of (n, 160, 160, 3) uint8 RGB crops. Returns: (n, d) normalised."""
        return self._embedder.embed_crops(crops)
