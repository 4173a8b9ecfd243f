"""The int8 variant of an embedder: what is kept of it, and whether it may be used.

`models/_int8/<model_id>/` holds the model and `record.json`: what it was built from, how alike its
embeddings are to those of f32 (parity), and what it costs in recognition (gate). A variant is
loaded only with a stored, passing parity check of the very file that lies there; it is taken by
itself only with a passing gate besides.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attendance.core.domain import FloatArray
from attendance.core.errors import ModelError

PUBLISHED = Path(__file__).with_name("published_gates.json")
MODEL_FILES = ("model.xml", "model.bin")
GATE_LIMIT_POINTS = 1.0
PARITY_MEAN = 0.99
PARITY_LOWEST = 0.95


@dataclass(frozen=True)
class Parity:
    """How alike a variant's embeddings are to those of f32, on crops it was not calibrated with.

    Attributes:
        mean: cosine over the crops.
        lowest: cosine over the crops.
        n: crops.
    """

    mean: float
    lowest: float
    n: int

    @property
    def passes(self) -> bool:
        """Whether the variant computes what it should."""
        return self.n > 0 and self.mean >= PARITY_MEAN and self.lowest >= PARITY_LOWEST


@dataclass(frozen=True)
class Gate:
    """What a variant costs in recognition: the loss in VAL at a FAR, over all pairs of some people.

    Attributes:
        loss_points: VAL of f32 minus VAL of the variant, in percentage points.
        low_points: end of the paired 95 % interval, from a bootstrap over the people.
        high_points: end of it.
        far: at which VAL is taken, each variant at its own threshold.
        n_people: drawn from.
        n_same: same-person pairs.
        n_cross: different-person pairs.
    """

    loss_points: float
    low_points: float
    high_points: float
    far: float
    n_people: int
    n_same: int
    n_cross: int

    @property
    def passes(self) -> bool:
        """Whether the loss lies, with its whole interval, below one point; nan does not."""
        return self.high_points < GATE_LIMIT_POINTS

    def __str__(self) -> str:
        """The figures in words."""
        return (
            f"loss {self.loss_points:.2f} points, 95 % {self.low_points:.2f} to "
            f"{self.high_points:.2f}, n = {self.n_people} people"
        )


@dataclass(frozen=True)
class Recipe:
    """Everything an int8 model is built from; the same recipe gives the same model.

    Attributes:
        source_sha256: of the f32 model.
        calibration_sha256: of the photos it was calibrated with.
        settings: of the quantisation.
        builder: package and version that quantised.
    """

    source_sha256: str
    calibration_sha256: str
    settings: str
    builder: str

    @property
    def fingerprint(self) -> str:
        """Names the recipe: 16 hexadecimal digits."""
        parts = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(parts.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Int8Record:
    """What stands beside an int8 model.

    Attributes:
        model_id: of the embedding space.
        n_calibration: crops it was calibrated with.
        size_mb: of the model's files.
        files_sha256: of them, in the order of `MODEL_FILES`.
        gate: None where it was never measured.
    """

    model_id: str
    recipe: Recipe
    n_calibration: int
    size_mb: float
    files_sha256: tuple[str, ...]
    parity: Parity
    gate: Gate | None = None

    @property
    def proof(self) -> Gate | None:
        """What is known of its cost: measured here, else published for this very recipe."""
        return self.gate or published_gate(self.recipe)

    @classmethod
    def parse(cls, text: str) -> Int8Record:
        """A record from its JSON.

        Raises:
            ValueError: it is cut short or foreign, as `KeyError` and `TypeError` say too.
        """
        data: dict[str, Any] = json.loads(text)
        gate = data["gate"]
        return cls(
            str(data["model_id"]),
            Recipe(**data["recipe"]),
            int(data["n_calibration"]),
            float(data["size_mb"]),
            tuple(data["files_sha256"]),
            Parity(**data["parity"]),
            None if gate is None else Gate(**gate),
        )


class Int8Shelf:
    """The int8 variants of a school.

    Args:
        folder: `models/_int8`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, model_id: str) -> Path:
        """Where the model of this embedding space lies, or would."""
        return self._folder / model_id / MODEL_FILES[0]

    def record(self, model_id: str, source_sha256: str) -> Int8Record | None:
        """What is known of the variant, its files verified; None where none was built.

        Raises:
            ModelError: the files are not the recorded ones, are of another model, or the stored
                parity check did not pass.
        """
        folder = self._folder / model_id
        if not folder.is_dir():
            return None
        record = _read(folder)
        if (record.model_id, record.recipe.source_sha256) != (model_id, source_sha256):
            raise _unusable(folder, "was built from other weights")
        if record.files_sha256 != _digests(folder):
            raise _unusable(folder, "is not the recorded file (truncated or changed)")
        if not record.parity.passes:
            raise _unusable(folder, f"gives other embeddings than f32 ({record.parity})")
        return record

    def keep(self, record: Int8Record, files: Path) -> Path:
        """Take a built model and its record in, whole or not at all. Returns: its path.

        Args:
            record: replaces what was there.
            files: folder that holds `MODEL_FILES`; moved.
        """
        _write(record, files)
        target = self._folder / record.model_id
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        files.rename(target)
        return self.path(record.model_id)

    def amend(self, record: Int8Record) -> None:
        """Write what was found out about a model that is kept already."""
        _write(record, self._folder / record.model_id)

    def scratch(self, model_id: str) -> Path:
        """An empty folder to build in, beside where the model will lie."""
        folder = self._folder / f".{model_id}.partial"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


def parity(variant: FloatArray, reference: FloatArray) -> Parity:
    """How alike embeddings of the same crops are. Both (n, d), rows of length 1, n at least 1.

    >>> parity(np.array([[1, 0], [0.6, 0.8]]), np.array([[1.0, 0], [0, 1]]))
    Parity(mean=0.9, lowest=0.8, n=2)
    """
    cosines = np.einsum("nd,nd->n", variant, reference)
    return Parity(float(cosines.mean()), float(cosines.min()), len(cosines))


def published_gate(recipe: Recipe) -> Gate | None:
    """What was measured for this recipe before this release; docs/decisions.md says on whom."""
    data = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    figures = data.get(recipe.fingerprint)
    return None if figures is None else Gate(**figures)


def _write(record: Int8Record, folder: Path) -> None:
    partial = folder / "record.json.partial"
    partial.write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    partial.replace(folder / "record.json")


def _read(folder: Path) -> Int8Record:
    try:
        return Int8Record.parse((folder / "record.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(folder, "has no readable record") from error


def _unusable(folder: Path, why: str) -> ModelError:
    return ModelError(
        f"the int8 model {folder / MODEL_FILES[0]} {why}: run `attendance models quantize` again"
    )


def _digests(folder: Path) -> tuple[str, ...]:
    return tuple(file_digest(folder / name) for name in MODEL_FILES if (folder / name).is_file())


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
