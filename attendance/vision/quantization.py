"""Builds the int8 variant of an embedder with NNCF's post-training quantisation.

Imported by `attendance models quantize` only: NNCF brings torch with it where that is installed.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov

from attendance.core.domain import FloatArray
from attendance.core.errors import ModelError
from attendance.vision.engines import OpenVinoEngine
from attendance.vision.facenet import FaceNet, standardised
from attendance.vision.quantized import (
    MODEL_FILES,
    Int8Record,
    Int8Shelf,
    Recipe,
    file_digest,
    parity,
)

PRESET = "performance"
HOLD_OUT_EVERY = 5
MIN_CROPS = 20
SETTINGS = f"preset {PRESET}, fast bias correction, 1 crop a step"


@dataclass(frozen=True)
class Calibration:
    """Face crops to quantise with and to check the outcome on.

    Attributes:
        crops: (n, 160, 160, 3) uint8 RGB; every fifth is held out for the parity check.
        photos_sha256: digest of the photos they were cut from. Not of the crops: those differ in
            a pixel from processor to processor.

    Raises:
        ModelError: there are fewer than 20 crops.
    """

    crops: npt.NDArray[np.uint8]
    photos_sha256: str

    def __post_init__(self) -> None:
        if len(self.crops) < MIN_CROPS:
            raise ModelError(
                f"quantising takes at least {MIN_CROPS} photos with a face, found {len(self.crops)}"
            )

    @property
    def held_out(self) -> npt.NDArray[np.uint8]:
        """The crops that only check."""
        return self.crops[::HOLD_OUT_EVERY]

    @property
    def used(self) -> npt.NDArray[np.uint8]:
        """The crops that calibrate."""
        return np.delete(self.crops, np.s_[::HOLD_OUT_EVERY], axis=0)


@dataclass(frozen=True)
class Source:
    """The f32 embedder that is quantised.

    Attributes:
        path: of the model file.
        sha256: of its content.
        model_id: of its embedding space.
    """

    path: Path
    sha256: str
    model_id: str


def recipe(source: Source, calibration: Calibration) -> Recipe:
    """What `build` would make, without making it.

    Raises:
        ModelError: NNCF is not installed.
    """
    return Recipe(
        source_sha256=source.sha256,
        calibration_sha256=calibration.photos_sha256,
        settings=SETTINGS,
        builder=f"nncf {_nncf().__version__}",
    )


def build(
    source: Source, calibration: Calibration, shelf: Int8Shelf, reference: FaceNet
) -> Int8Record:
    """Quantise, check parity on held-out crops, and keep the model with its record.

    Args:
        source: the embedder.
        calibration: faces.
        shelf: takes the model in.
        reference: the embedder in f32.

    Raises:
        ModelError: NNCF is not installed, or the outcome gives other embeddings than f32; what
            was there before stays.
    """
    files = shelf.scratch(source.model_id)
    ov.save_model(
        _quantised(source.path, calibration.used), files / MODEL_FILES[0], compress_to_fp16=False
    )
    net, dimension = OpenVinoEngine("f32").ready_embedder(files / MODEL_FILES[0])
    int8 = FaceNet(net, source.model_id, "openvino-int8", dimension)
    record = Int8Record(
        source.model_id,
        recipe(source, calibration),
        len(calibration.used),
        round(sum((files / name).stat().st_size for name in MODEL_FILES) / 1e6, 1),
        tuple(file_digest(files / name) for name in MODEL_FILES),
        parity(int8.embed_crops(calibration.held_out), reference.embed_crops(calibration.held_out)),
    )
    if not record.parity.passes:
        raise ModelError(f"the int8 model is not kept: {record.parity} against f32")
    shelf.keep(record, files)
    return record


def _quantised(path: Path, crops: npt.NDArray[np.uint8]) -> ov.Model:
    nncf = _nncf()
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    model = OpenVinoEngine("f32").read_embedder(path)
    steps: Sequence[FloatArray] = [standardised(crop[None]) for crop in crops]
    with redirect_stdout(sys.stderr):  # it shows its progress, which is no figure
        return nncf.quantize(
            model,
            nncf.Dataset(steps),
            preset=nncf.QuantizationPreset(PRESET),
            fast_bias_correction=True,
            subset_size=len(steps),
        )


def _nncf() -> Any:
    """NNCF, kept from reporting its use to its makers: faces of pupils are nobody's business.

    Raises:
        ModelError: it is not installed.
    """
    os.environ.setdefault("NNCF_CI", "1")
    try:
        import nncf
    except ImportError as error:
        raise ModelError("quantising needs NNCF: `pip install 'attendance[quantize]'`") from error
    return nncf
