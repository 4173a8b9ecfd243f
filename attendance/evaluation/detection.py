"""Are the faces found? Recall by size and false detections, on boxes drawn by people.

Boxes come as WIDER FACE's fields: a JSON object from photo to a list of [x, y, w, h, blur,
expression, illumination, invalid, occlusion, pose]. Yang et al., "WIDER FACE", 2016.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attendance.config import DetectorConfig
from attendance.core import metrics
from attendance.core.domain import FloatArray, Image, IntArray
from attendance.core.geometry import iou
from attendance.core.metrics import Bools
from attendance.evaluation.embedding import read_image
from attendance.evaluation.protocols import ProtocolError
from attendance.evaluation.reports import shown

HEIGHTS = {"20": 20, "40": 40, "80": 80}
MIN_IOU = 0.5
_FIELDS = 10
_INVALID = 7


@dataclass(frozen=True)
class DetectionReport:
    """Figures of `evaluate detection`.

    Attributes:
        n_faces: faces drawn, those marked invalid left out.
        recall: found share of the faces at least that many pixels high.
        n_faces_by_height: of how many.
        false_per_image: detections a photo that meet no drawn face, valid or not.
        min_face_px: the smallest face that was looked for.
        min_score: the lowest score a detection counted with.
        min_iou: the overlap that counts as found.
    """

    n_images: int
    n_faces: int
    recall: dict[str, float]
    n_faces_by_height: dict[str, int]
    false_per_image: float
    min_face_px: int
    min_score: float
    min_iou: float


@dataclass(frozen=True)
class DrawnFaces:
    """The faces a person drew on one photo.

    Attributes:
        boxes: (n, 4) float32 xyxy pixels.
        is_valid: (n,) False where the face cannot be made out and finding it counts for nothing.
    """

    boxes: FloatArray
    is_valid: Bools


def evaluate_detection(
    find: Callable[[Image], FloatArray],
    images: Path,
    drawn: dict[str, DrawnFaces],
    settings: DetectorConfig,
) -> DetectionReport:
    """Look for the faces of every photo.

    Args:
        find: from a photo to the boxes (n, 4) of its faces, best first, under the settings.
        images: the folder the photos' names are relative to.
        drawn: by photo.
        settings: reported beside the figures.

    Raises:
        PhotoError: a photo is missing or no image.
    """
    heights: list[FloatArray] = [np.zeros(0, np.float32)]
    hits: list[Bools] = [np.zeros(0, np.bool_)]
    n_false = 0
    for photo, faces in shown(list(drawn.items()), "photos"):
        partner = partners(find(read_image(images / photo)), faces.boxes, MIN_IOU)
        is_hit = np.isin(np.arange(len(faces.boxes)), partner)
        heights.append((faces.boxes[:, 3] - faces.boxes[:, 1])[faces.is_valid])
        hits.append(is_hit[faces.is_valid])
        n_false += int((partner < 0).sum())
    return _report(np.concatenate(heights), np.concatenate(hits), n_false, len(drawn), settings)


def _report(
    heights: FloatArray, hits: Bools, n_false: int, n_images: int, settings: DetectorConfig
) -> DetectionReport:
    masks = {key: heights >= height for key, height in HEIGHTS.items()}
    return DetectionReport(
        n_images=n_images,
        n_faces=len(heights),
        recall={k: metrics.rate(int(hits[m].sum()), int(m.sum())) for k, m in masks.items()},
        n_faces_by_height={key: int(mask.sum()) for key, mask in masks.items()},
        false_per_image=metrics.rate(n_false, n_images),
        min_face_px=settings.min_face_px,
        min_score=settings.min_score,
        min_iou=MIN_IOU,
    )


def partners(found: FloatArray, drawn: FloatArray, min_iou: float) -> IntArray:
    """The drawn face each detection meets: the one it overlaps most that is still free.

    Args:
        found: (n, 4) xyxy, best score first; each takes its partner before the next one.
        drawn: (m, 4) xyxy.
        min_iou: the least overlap, in [0, 1].

    Returns:
        (n,) index into `drawn`, -1 for none.

    >>> box = np.array([[0, 0, 10, 10]], np.float32)
    >>> partners(np.concatenate([box, box]), box, 0.5).tolist()
    [0, -1]
    """
    overlaps = iou(found, drawn)
    partner = np.full(len(found), -1, np.intp)
    if not len(drawn):
        return partner
    for row in range(len(found)):
        best = int(np.argmax(overlaps[row]))
        if overlaps[row, best] >= min_iou:
            partner[row] = best
            overlaps[:, best] = -1
    return partner


def read_boxes(file: Path) -> dict[str, DrawnFaces]:
    """The drawn faces of every photo.

    Raises:
        ProtocolError: the file is missing or holds something else; the message says where.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{file}: cannot be read as a boxes file ({error})") from error
    except json.JSONDecodeError as error:
        raise ProtocolError(f"{file}, line {error.lineno}: not JSON ({error.msg})") from error
    if not isinstance(data, dict) or not data:
        raise ProtocolError(f"{file}: expected an object from photo to boxes")
    return {photo: _drawn(file, photo, rows) for photo, rows in data.items()}


def _drawn(file: Path, photo: str, rows: Any) -> DrawnFaces:
    is_table = isinstance(rows, list) and all(_is_row(row) for row in rows)
    if not is_table:
        raise ProtocolError(
            f"{file}: {photo}: expected a list of [x, y, w, h, blur, expression, illumination, "
            "invalid, occlusion, pose]"
        )
    table = np.array(rows, np.float32).reshape(-1, _FIELDS)
    boxes = np.hstack([table[:, :2], table[:, :2] + table[:, 2:4]])
    return DrawnFaces(boxes, np.asarray(table[:, _INVALID] == 0))


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, list)
        and len(row) == _FIELDS
        and all(isinstance(value, int | float) for value in row)
    )
