"""What `attendance doctor` looks at, one finding each; looking changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from attendance.core.errors import AttendanceError

if TYPE_CHECKING:
    from attendance.calibration import Calibrations
    from attendance.config import EmbedderConfig
    from attendance.vision.weights import ModelStore

LEAST_FREE_MB = 300
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: was looked at.
        state: `problem` keeps the system from running, `notice` makes it worse than it could be.
        says: what was found.
        remedy: what to do about a problem; empty without one.
    """

    what: str
    state: Literal["ok", "notice", "problem"]
    says: str
    remedy: str = ""


def check_all(home: Path, config: EmbedderConfig) -> list[Finding]:
    """Everything, in the order it is shown."""
    from attendance.vision.weights import ModelStore

    store = ModelStore(home / "models")
    looks: list[Callable[[], Finding]] = [
        check_system,
        check_engine,
        lambda: check_gpu(config),
        lambda: check_detector(config),
        lambda: check_embedder(store, config),
        lambda: check_others(store),
        lambda: check_int8(store),
        lambda: check_home(home),
        lambda: check_disk(home),
        lambda: check_database(home),
        lambda: check_key(home),
        lambda: check_drift(home),
        lambda: check_separation(home),
    ]
    return [look() for look in looks]


def check_system() -> Finding:
    """Python, operating system, processor."""
    from attendance.vision.engines import processor

    says = f"Python {platform.python_version()}, {platform.system()} {platform.release()}"
    return Finding("system", "ok", f"{says}, {os.cpu_count()} x {processor()}")


def check_engine() -> Finding:
    """What OpenVINO computes on this processor."""
    from attendance.vision.engines import capabilities, version

    return Finding("engine", "ok", f"OpenVINO {version()} offers {', '.join(capabilities())}")


def check_gpu(config: EmbedderConfig) -> Finding:
    """Whether there is a GPU; torch is asked only where one is likely."""
    from attendance.vision.loading import gpu_device

    if config.device == "cpu":
        return Finding("GPU", "ok", "not asked for in the settings")
    found = gpu_device(config.device)
    if found is None and config.device == "gpu":
        return Finding("GPU", "problem", "asked for, none found", "set embedder.device to auto")
    return Finding("GPU", "ok", f"{found}, in half precision" if found else "none found")


def check_detector(config: EmbedderConfig) -> Finding:
    """MTCNN's networks, and what computes them."""
    from attendance.vision.engines import capabilities, chosen_precision
    from attendance.vision.loading import gpu_device
    from attendance.vision.weights import mtcnn_path

    try:
        for net in "pro":
            mtcnn_path(f"{net}net.onnx")
    except AttendanceError as error:
        return _problem("detector", error, "run `make install`")
    gpu = gpu_device(config.device)
    where = f"on {gpu}" if gpu else f"{chosen_precision('auto', capabilities())} on the CPU"
    return Finding("detector", "ok", f"MTCNN, three files verified, {where}")


def check_embedder(store: ModelStore, config: EmbedderConfig) -> Finding:
    """The weights in use, the variant of them and why."""
    from attendance.vision.loading import gpu_device
    from attendance.vision.variants import choose_for
    from attendance.vision.weights import DEFAULT

    name = store.active()
    try:
        store.path(name)
        choice = choose_for(store, config.precision, name)
    except AttendanceError as error:
        return _problem("embedder", error, f"`attendance models use {name}` once that is done")
    gpu = gpu_device(config.device) if name == DEFAULT else None
    where = f"on {gpu}" if gpu else f"{choice.variant} on the CPU: {choice.reason}"
    return Finding("embedder", "ok", f"{store.model_id(name)}, file verified, {where}")


def check_others(store: ModelStore) -> Finding:
    """The embedders that enrolment makes templates for beside the one in use."""
    others = [name for name in store.installed() if name != store.active()]
    says = ", ".join(others) or "none; `attendance models fetch NAME` before students are enrolled"
    return Finding("other embedders", "ok", says)


def check_int8(store: ModelStore) -> Finding:
    """The int8 variant; without one, or with a damaged one, the next best is taken."""
    from attendance.vision.variants import choose_for

    try:
        return Finding("int8", "ok", choose_for(store, "auto", store.active()).int8)
    except AttendanceError as error:
        return Finding("int8", "ok", f"none of these weights: {error}")


def check_home(home: Path) -> Finding:
    """The school's folder and who may look into it."""
    if not home.exists():
        return Finding("home", "ok", f"{home} is made at the first run")
    if not home.is_dir():
        return Finding("home", "problem", f"{home} is no folder", "name another with --home")
    mode = home.stat().st_mode
    if mode & stat.S_ISVTX:
        return Finding("home", "problem", f"{home} is everybody's", "name another with --home")
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        says = f"others may look into {home} ({stat.S_IMODE(mode):o})"
        return Finding("home", "problem", says, f"chmod 700 {home}")
    if not os.access(home, os.W_OK | os.X_OK):
        return Finding("home", "problem", f"{home} cannot be written", "run as its owner")
    return Finding("home", "ok", f"{home}, for its owner only")


def check_disk(home: Path) -> Finding:
    """Whether there is room to write."""
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free_mb = shutil.disk_usage(there).free // 1_000_000
    says = f"{free_mb:,} MB free"
    if free_mb < LEAST_FREE_MB:
        remedy = f"make room: a school takes {LEAST_FREE_MB} MB to be safe"
        return Finding("disk", "problem", says, remedy)
    return Finding("disk", "ok", says)


def check_database(home: Path) -> Finding:
    """Whether the database is sound and of a version this program knows."""
    from attendance.db.engine import FILE_NAME
    from attendance.db.inspection import inspect_database
    from attendance.db.migrate import head

    path = home / FILE_NAME
    if not path.exists():
        return Finding("database", "ok", "made at the first run")
    try:
        state = inspect_database(path)
    except AttendanceError as error:
        return _problem("database", error, f"put {path} back from your backup")
    if state.damage:
        return Finding("database", "problem", state.damage, f"put {path} back from your backup")
    if state.revision > head():
        says = f"written by a newer program (revision {state.revision}, known {head()})"
        return Finding("database", "problem", says, "upgrade this program")
    is_old = state.revision != head()
    suffix = ", brought up to date at the next run" if is_old else ""
    return Finding("database", "ok", f"sound, revision {state.revision or 'none'}{suffix}")


def check_key(home: Path) -> Finding:
    """Whether the key is there that the database belongs to."""
    from attendance.db.engine import FILE_NAME
    from attendance.db.inspection import inspect_database
    from attendance.db.vault import KEY_FILE, KEY_VARIABLE

    path = home / KEY_FILE
    if os.environ.get(KEY_VARIABLE):
        return Finding("key", "ok", f"in {KEY_VARIABLE}")
    if path.is_file():
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            return Finding("key", "problem", f"others may read {path}", f"chmod 600 {path}")
        return Finding("key", "ok", f"{path}, for its owner only")
    try:
        is_lost = inspect_database(home / FILE_NAME).has_key
    except AttendanceError:
        is_lost = False  # no database, or one that another finding speaks of
    if is_lost:
        remedy = f"put {path} back from your backup, or set {KEY_VARIABLE}"
        return Finding("key", "problem", "the encryption key of the database is lost", remedy)
    return Finding("key", "ok", "made at the first run")


def check_drift(home: Path) -> Finding:
    """Whether genuine scores have been falling, in a database of this version."""
    notices = _asked_of(home, lambda kept: kept.drift())
    if notices is None:
        return Finding("drift", "ok", "nothing to compare yet")
    if notices:
        says = "\n".join(notice.words for notice in notices)
        return Finding("drift", "notice", says, "see each; re-calibrate afterwards")
    return Finding("drift", "ok", "genuine scores hold, or there are too few sessions to tell")


def check_separation(home: Path) -> Finding:
    """Which embedder separates best, as each course's last calibration found it."""
    points = _asked_of(home, lambda kept: kept.points()) or {}
    found = {code: point.figures.get("separates_best", "") for code, point in points.items()}
    lines = [f"{code}: {words}" for code, words in sorted(found.items()) if words]
    unknown = "not known yet: `attendance calibrate --course CODE` compares them on a roster"
    return Finding("separation", "ok", "\n".join(lines) or unknown)


def _asked_of(home: Path, question: Callable[[Calibrations], Answer]) -> Answer | None:
    """What calibration has kept; None where there is no database of this version that opens."""
    from attendance.calibration import Calibrations
    from attendance.db.engine import FILE_NAME, Database
    from attendance.db.inspection import inspect_database
    from attendance.db.migrate import head

    path = home / FILE_NAME
    try:
        if not path.exists() or inspect_database(path).revision != head():
            return None
        database = Database(path)
        try:
            return question(Calibrations(database))
        finally:
            database.dispose()
    except AttendanceError:
        return None  # another finding speaks of the database


def _problem(what: str, error: AttendanceError, remedy: str) -> Finding:
    return Finding(what, "problem", str(error), remedy)
