"""Whether a photo shows one face well enough to be recognised by later."""

from __future__ import annotations

import cv2
import numpy as np

from attendance.config import EnrollmentConfig
from attendance.core.domain import Detections, FloatArray, Image
from attendance.core.errors import PhotoError, PhotoProblem

BYSTANDER_SHARE = 0.35
MEASURED_PX = 160


def the_face(image: Image, faces: Detections, limits: EnrollmentConfig) -> Detections:
    """The one face a photo is of.

    Small faces in the background, below `BYSTANDER_SHARE` of the largest one's height, are let
    pass: they are not who the photo is of.

    Raises:
        PhotoError: no face, several, or one that is too small, dark, bright or blurred.
    """
    if not len(faces):
        raise PhotoError(
            PhotoProblem.NO_FACE, "We found no face. Look into the camera, in good light."
        )
    heights = faces.boxes[:, 3] - faces.boxes[:, 1]
    largest = int(np.argmax(heights))
    rivals = int((heights >= BYSTANDER_SHARE * heights[largest]).sum())
    if rivals > 1:
        raise PhotoError(
            PhotoProblem.SEVERAL_FACES,
            f"We found {rivals} faces. Only you may be in the photo.",
        )
    _check_size(float(heights[largest]), limits)
    _check_picture(image, faces.boxes[largest], limits)
    return faces.take([largest])


def _check_size(height_px: float, limits: EnrollmentConfig) -> None:
    if height_px < limits.min_face_px:
        raise PhotoError(
            PhotoProblem.FACE_TOO_SMALL,
            f"Your face is {height_px:.0f} pixels high; {limits.min_face_px} are needed. "
            "Come closer.",
        )


def _check_picture(image: Image, box: FloatArray, limits: EnrollmentConfig) -> None:
    grey = _grey_face(image, box)
    brightness = float(grey.mean())
    if brightness < limits.min_brightness:
        raise PhotoError(PhotoProblem.TOO_DARK, "Your face is too dark. Turn towards the light.")
    if brightness > limits.max_brightness:
        raise PhotoError(
            PhotoProblem.TOO_BRIGHT, "Your face is too bright. Turn away from the light."
        )
    if sharpness(grey) < limits.min_sharpness:
        raise PhotoError(
            PhotoProblem.TOO_BLURRED, "Your face is blurred. Hold still and try again."
        )


def _grey_face(image: Image, box: FloatArray) -> Image:
    height, width = image.shape[:2]
    x1, y1 = np.maximum(box[:2], 0).astype(int)
    x2, y2 = np.minimum(box[2:], (width, height)).astype(int)
    face = cv2.resize(image[y1:y2, x1:x2], (MEASURED_PX, MEASURED_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), np.uint8)


def sharpness(grey: Image) -> float:
    """Variance of the Laplacian of a grey face of 160 x 160 pixels; blurred ones are near 0.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000.

    >>> sharpness(np.zeros((160, 160), np.uint8))
    0.0
    """
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())
