"""What every embedder of this package is, whichever network runs in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.pipeline import Embedder

if TYPE_CHECKING:
    from attendance.vision.engines import Net


class NamedEmbedder(Embedder, Protocol):
    """An embedder that also says how it computes.

    Attributes:
        variant: engine and precision; recorded, never part of comparability.
        dimension: length of an embedding.
    """

    variant: str
    dimension: int


class BatchedEmbedder(ABC):
    """Cuts faces out as its network wants them, and embeds some at a time.

    Args:
        net: what `prepared` makes of (n, s, s, 3) crops -> (n, d).
        model_id: names the embedding space.
        variant: engine and precision, recorded beside it.
        dimension: d.
        batch: faces in one call.
    """

    def __init__(
        self, net: Net, model_id: str, variant: str, dimension: int, batch: int = 8
    ) -> None:
        self._net = net
        self._batch = batch
        self.model_id = model_id
        self.variant = variant
        self.dimension = dimension

    @abstractmethod
    def crops(self, image: Image, faces: Detections) -> npt.NDArray[np.uint8]:
        """These faces of a BGR image, cut out. Returns: (n, s, s, 3)."""

    def prepared(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        """Crops as the network takes them; as they are, unless an embedder says otherwise."""
        return crops

    def embed(self, image: Image, faces: Detections) -> FloatArray:
        """Embeddings of these faces of a BGR image. Returns: (n, d) normalised."""
        return self.embed_crops(self.crops(image, faces))

    def embed_crops(self, crops: npt.NDArray[np.uint8]) -> FloatArray:
        """Embeddings of (n, s, s, 3) uint8 crops. Returns: (n, d) normalised."""
        if not len(crops):
            return np.zeros((0, self.dimension), np.float32)
        parts = range(0, len(crops), self._batch)
        raw = [self._net(self.prepared(crops[i : i + self._batch]))[0] for i in parts]
        return unit_rows(np.concatenate(raw))


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Rows scaled to length 1; a row of zeros stays. Returns: the same shape, float32.

    >>> unit_rows(np.array([[3, 4], [0, 0]], np.float32)).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)
