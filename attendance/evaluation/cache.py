"""Embeddings kept between evaluation runs, only in a folder that somebody named for it.

They lie there in clear, beside photos that do too; the school's own templates never come here.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from attendance.core.domain import FloatArray

_Rows = dict[str, FloatArray]


class EmbeddingCache:
    """One file a photo folder and setting; a photo that changed since is embedded anew.

    Args:
        folder: where the files lie; made when needed.
        settings: everything the embeddings depend on: model, variant, detector settings.
    """

    def __init__(self, folder: Path, settings: str) -> None:
        self._folder = folder
        self._settings = settings

    def read(self, photos: Path, paths: Sequence[str]) -> _Rows:
        """What is known of these photos, (2, d) each; an unreadable file knows nothing."""
        file = self._file(photos)
        try:
            with np.load(file, allow_pickle=False) as kept:
                names, stamps, rows = kept["paths"], kept["stamps"], kept["rows"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return {}
        wanted = set(paths)
        known = zip(names.tolist(), stamps.tolist(), rows, strict=True)
        return {n: row for n, stamp, row in known if n in wanted and stamp == _stamp(photos / n)}

    def write(self, photos: Path, rows: Mapping[str, FloatArray]) -> None:
        """Keep these rows, and those of other photos of the folder that are still valid."""
        file = self._file(photos)
        merged = {**self.read(photos, self._names(file)), **rows}
        names = sorted(merged)
        stamps = [_stamp(photos / name) for name in names]
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        with partial.open("wb") as out:
            partial.chmod(0o600)
            kept = np.stack([merged[name] for name in names])
            np.savez(out, paths=np.array(names), stamps=np.array(stamps), rows=kept)
        partial.replace(file)

    def _names(self, file: Path) -> list[str]:
        try:
            with np.load(file, allow_pickle=False) as kept:
                return [str(name) for name in kept["paths"]]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return []

    def _file(self, photos: Path) -> Path:
        key = hashlib.sha256(f"{photos.resolve()}|{self._settings}".encode()).hexdigest()
        return self._folder / f"embeddings-{key[:16]}.npz"


def _stamp(path: Path) -> str:
    """Size and time of change; empty for a file that is gone."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}"
