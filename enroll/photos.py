"""Bytes somebody chose as a photo, as an upright image; whatever else they are, said in words."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from attendance.config import EnrollmentConfig
from attendance.core.domain import Image
from attendance.core.errors import PhotoError, PhotoProblem

WORKING_PX = 1600
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")


def read_photo(data: bytes, limits: EnrollmentConfig) -> Image:
    """An upright (H, W, 3) BGR image, at most `WORKING_PX` on its longer side.

    The camera's own rotation mark (EXIF) is followed. The size is read from the header before any
    pixel is decoded, so a picture made to fill the memory is refused unopened.

    Raises:
        PhotoError: it is empty, no image, or too large.
    """
    if not data:
        raise PhotoError(PhotoProblem.EMPTY, "The file is empty. Choose another photo.")
    if len(data) > limits.max_photo_mb * 1e6:
        raise PhotoError(
            PhotoProblem.TOO_LARGE,
            f"The file is {len(data) / 1e6:.0f} MB; {limits.max_photo_mb:.0f} MB is the most.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)
            return _decoded(data, limits)
    except PillowImage.DecompressionBombError as error:
        raise PhotoError(
            PhotoProblem.TOO_LARGE,
            f"The photo has far too many pixels; {limits.max_photo_px} on one side is the most.",
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise PhotoError(
            PhotoProblem.NOT_AN_IMAGE,
            "This is not a photo we can open. Choose a JPEG, PNG or WebP picture.",
        ) from error


def _decoded(data: bytes, limits: EnrollmentConfig) -> Image:
    with PillowImage.open(io.BytesIO(data), formats=FORMATS) as opened:
        longest = max(opened.size)
        if longest > limits.max_photo_px:
            raise PhotoError(
                PhotoProblem.TOO_LARGE,
                f"The photo is {opened.width} x {opened.height} pixels; "
                f"{limits.max_photo_px} is the most on one side. Make it smaller.",
            )
        opened.draft("RGB", (WORKING_PX, WORKING_PX))
        upright = ImageOps.exif_transpose(opened)
        upright.thumbnail((WORKING_PX, WORKING_PX), PillowImage.Resampling.BOX)
        rgb = np.asarray(upright.convert("RGB"), np.uint8)
    return np.ascontiguousarray(rgb[:, :, ::-1])
