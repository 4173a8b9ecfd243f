"""What a source string names: a webcam, a network stream, a video file, a folder of images.

Kept apart from `stream`, so that whoever only reads the string need not import OpenCV.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from attendance.core.errors import CameraError


class SourceKind(StrEnum):
    """What a source string names."""

    WEBCAM = "webcam"
    URL = "url"
    FILE = "file"
    FOLDER = "folder"


@dataclass(frozen=True)
class SourceSpec:
    """A parsed source.

    Attributes:
        width, height: asked of a webcam, in pixels.
    """

    kind: SourceKind
    address: str
    width: int = 1280
    height: int = 720

    @property
    def is_recorded(self) -> bool:
        """Whether it has an end and a pace of its own."""
        return self.kind in {SourceKind.FILE, SourceKind.FOLDER}


def parse_source(source: str, width: int = 1280, height: int = 720) -> SourceSpec:
    """What a source string names: a webcam's number, a URL, a video file, a folder of images.

    Raises:
        CameraError: nothing is there, or it may not be looked at.

    >>> parse_source("0").kind.value, parse_source("rtsp://camera/live").kind.value
    ('webcam', 'url')
    """
    source = source.strip()
    if re.fullmatch(r"\d{1,3}", source):
        return SourceSpec(SourceKind.WEBCAM, source, width, height)
    if re.match(r"(rtsp|rtsps|http|https)://", source, re.IGNORECASE):
        return SourceSpec(SourceKind.URL, source, width, height)
    try:
        path = Path(source).expanduser()
        if source and path.exists():
            kind = SourceKind.FOLDER if path.is_dir() else SourceKind.FILE
            return SourceSpec(kind, str(path), width, height)
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CameraError(f"camera '{source[:200]}' cannot be looked at: {why}") from error
    raise CameraError(
        f"there is no camera '{source}': give a webcam's number (0), an rtsp:// or http:// "
        "address, a video file or a folder of images"
    )


def without_password(address: str) -> str:
    """An address that may be shown and logged.

    >>> without_password("rtsp://admin:secret@10.0.0.7/live")
    'rtsp://***@10.0.0.7/live'
    >>> without_password("http://10.0.0.7/video.cgi?user=admin&pwd=secret")
    'http://10.0.0.7/video.cgi?***'
    """
    return re.sub(r"\?.*", "?***", re.sub(r"(?<=://)[^/?#]+@", "***@", address))
