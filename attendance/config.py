"""The settings of a school: one small model a section, every field with a range and a sentence.

`load_config(path)` reads YAML, lets the environment override it
(`ATTENDANCE_SESSION__LATE_AFTER_MIN=15`) and answers a mistake with the file, the line and the
nearest key. Secrets are never in the file.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from attendance.core.errors import ConfigError

ENVIRONMENT_PREFIX = "attendance_"


class Section(BaseModel):
    """A frozen section that knows its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CameraConfig(Section):
    """How a camera is read."""

    source: str = Field("0", description="webcam index, RTSP or HTTP URL, video file or folder")
    width: int = Field(1280, ge=160, le=7680, description="asked of a webcam, in pixels")
    height: int = Field(720, ge=120, le=4320, description="asked of a webcam, in pixels")
    view_deg: float = Field(
        70, ge=20, le=160, description="horizontal angle of view, for distances in metres"
    )
    stall_s: float = Field(1.2, ge=0.3, le=1.6, description="no frame for this long means lost")
    hang_s: float = Field(6.0, ge=2, le=60, description="a read stuck this long costs the process")
    reopen_max_s: float = Field(8.0, ge=0.5, le=60, description="longest wait between reopenings")


class DetectorConfig(Section):
    """MTCNN."""

    min_face_px: int = Field(40, ge=20, le=400, description="smallest face looked for, in pixels")
    thresholds: tuple[float, float, float] = Field(
        (0.6, 0.7, 0.7), description="accepted score of P-Net, R-Net and O-Net"
    )
    min_score: float = Field(0.9, ge=0, le=1, description="detections below start no track")


class EmbedderConfig(Section):
    """FaceNet."""

    device: Literal["auto", "cpu", "gpu"] = Field("auto", description="auto takes a GPU if any")
    precision: Literal["auto", "f32", "bf16", "int8"] = Field(
        "auto", description="of the CPU engine; auto takes the fastest that is proven good enough"
    )
    batch: int = Field(8, ge=1, le=64, description="faces embedded in one call")


class DecisionConfig(Section):
    """When a face gets a name. docs/decisions.md says where the figures come from."""

    threshold: float = Field(
        0.52, ge=0, le=1, description="least score for a name; large rosters raise it"
    )
    review_threshold: float = Field(0.42, ge=0, le=1, description="score from which staff is asked")
    margin: float = Field(0.1, ge=0, le=1, description="lead over the second person for a name")
    min_looks: int = Field(3, ge=1, le=50, description="looks a decision rests on")
    min_span_s: float = Field(1.0, ge=0, le=60, description="seconds those looks spread over")
    look_interval_s: float = Field(0.25, ge=0, le=10, description="between looks of a track")
    review_after_s: float = Field(3.0, ge=0, le=60, description="doubt lasting this long is shown")
    baseline: float = Field(0.2, ge=0, lt=1, description="similarity of strangers assumed at first")
    baseline_weight: float = Field(2.0, ge=0, le=100, description="how many people that is worth")

    @model_validator(mode="after")
    def _review_lies_below(self) -> DecisionConfig:
        if self.review_threshold > self.threshold:
            raise ValueError("review_threshold must not lie above threshold")
        return self


class TrackingConfig(Section):
    """How detections become tracks."""

    min_iou: float = Field(0.3, gt=0, lt=1, description="overlap that continues a track")
    confirm_hits: int = Field(3, ge=1, le=30, description="detections before a track is shown")
    lost_after_s: float = Field(1.0, ge=0.1, le=30, description="a track unseen this long is lost")


class SessionConfig(Section):
    """The rules of a class session."""

    late_after_min: float = Field(10, ge=0, le=600, description="minutes after which one is late")
    min_coverage: float = Field(0.8, ge=0, le=1, description="share the camera must have looked")
    keep_crops_days: float = Field(
        14, ge=0, le=365, description="pictures of what the camera saw; 0 keeps none"
    )
    timezone: str = Field("UTC", description="of rooms that name none, such as Asia/Seoul")

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone is called {value!r}; try Asia/Seoul or UTC") from None
        return value


class EnrollmentConfig(Section):
    """What an enrolment photo must be."""

    max_photo_mb: float = Field(25, gt=0, le=200, description="size of one file")
    max_photo_px: int = Field(10_000, ge=640, le=30_000, description="longest side of one photo")
    min_face_px: int = Field(80, ge=40, le=1000, description="height of the face")
    min_sharpness: float = Field(20.0, ge=0, description="variance of the Laplacian of the crop")
    min_brightness: float = Field(40.0, ge=0, le=255, description="mean grey of the crop")
    max_brightness: float = Field(225.0, ge=0, le=255, description="mean grey of the crop")


class WebConfig(Section):
    """The web process. It listens on this machine only, until there are accounts."""

    port: int = Field(8765, ge=0, le=65535, description="0 takes a free one")
    poll_ms: int = Field(100, ge=20, le=2000, description="how often new events are looked for")
    preview_width: int = Field(960, ge=160, le=1920, description="of the picture sent to browsers")
    preview_fps: float = Field(15, ge=1, le=60, description="pictures encoded a second at most")
    preview_quality: int = Field(70, ge=20, le=95, description="JPEG quality of it")


class Config(Section):
    """All settings. Frozen: a running system does not change its mind."""

    camera: CameraConfig = CameraConfig()
    detector: DetectorConfig = DetectorConfig()
    embedder: EmbedderConfig = EmbedderConfig()
    decision: DecisionConfig = DecisionConfig()
    tracking: TrackingConfig = TrackingConfig()
    session: SessionConfig = SessionConfig()
    enrollment: EnrollmentConfig = EnrollmentConfig()
    web: WebConfig = WebConfig()


def load_config(path: Path | None = None) -> Config:
    """Settings from a YAML file and the environment; defaults where neither speaks.

    Raises:
        ConfigError: the file is missing, is not YAML, or a key or value is wrong; the message
            names file, line and, for a misspelt key, the nearest one.
    """
    if path is None:
        return _validated({}, None, None)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text ({error})") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected sections such as 'camera:', got {type(data).__name__}")
    return _validated(data, node, path)


def _validated(data: dict[str, Any], node: yaml.Node | None, path: Path | None) -> Config:
    named = {str(key): value for key, value in data.items() if value is not None}
    for section, keys in _environment().items():
        in_file = named.get(section, {})
        named[section] = in_file | keys if isinstance(in_file, dict) else in_file
    try:
        return Config(**named)
    except ValidationError as error:
        problems = [_sentence(problem, node, path) for problem in error.errors()]
        raise ConfigError("\n".join(problems)) from error


def _environment() -> dict[str, dict[str, Any]]:
    """What `ATTENDANCE_SECTION__KEY` says; read here, since pydantic-settings imports for 0.3 s."""
    found: dict[str, dict[str, Any]] = {}
    for name, text in os.environ.items():
        section, _, key = name.lower().removeprefix(ENVIRONMENT_PREFIX).partition("__")
        if name.lower().startswith(ENVIRONMENT_PREFIX) and key and section in Config.model_fields:
            is_list = text.startswith("[") and text.endswith("]")
            found.setdefault(section, {})[key] = text[1:-1].split(",") if is_list else text
    return found


def _sentence(problem: Any, node: yaml.Node | None, path: Path | None) -> str:
    keys = [str(part) for part in problem["loc"]]
    line = _line_of(node, keys)
    where = f"{path}, line {line}" if path and line else f"{path or 'environment'}"
    dotted = ".".join(keys)
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(keys[-1], _keys_beside(keys), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"{where}: unknown key '{dotted}'{hint}"
    return f"{where}: {dotted}: {problem['msg'].removeprefix('Value error, ')}"


def _keys_beside(keys: list[str]) -> list[str]:
    model: Any = Config
    for key in keys[:-1]:
        field = model.model_fields.get(key)
        model = field.annotation if field else None
        if model is None or not hasattr(model, "model_fields"):
            return []
    return list(model.model_fields)


def _line_of(node: yaml.Node | None, keys: list[str]) -> int | None:
    """The line of the deepest of these keys that the file holds, counted from 1."""
    line = None
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            break
        pair = next((p for p in node.value if p[0].value == key), None)
        if pair is None:
            break
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line
