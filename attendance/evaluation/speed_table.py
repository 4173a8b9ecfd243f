"""The bench's figures for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

NAMES = {
    "facenet_pytorch": "facenet-pytorch",
    "yunet_sface": "YuNet + SFace",
    "dlib_hog": "dlib HOG",
    "ours_full_scan": "ours, full scan",
}
NOTHING = "–"


def tables(figures: Mapping[str, Any]) -> Iterator[Table]:
    """Speed side by side; what the live run saw; milliseconds by stage."""
    yield _speeds(figures)
    yield _seen(figures)
    yield _stages(figures)


def summary(figures: Mapping[str, Any]) -> str:
    """What could not be measured, a line each; empty where all could."""
    return "\n".join(f"{key}: not measured: {why}" for key, why in figures["why_null"].items())


def number(value: float | None, digits: int = 1, unit: str = "") -> str:
    """A figure, or a dash for one that was not measured.

    >>> number(12.345, 2, " s"), number(None)
    ('12.35 s', '–')
    """
    return NOTHING if value is None else f"{value:,.{digits}f}{unit}"


def _speeds(figures: Mapping[str, Any]) -> Table:
    table = Table("1080p, 30 faces, decoding included", title=figures["processor"])
    table.add_column("frames a second", justify="right")
    table.add_column("ours live is", justify="right")
    live = figures["live_fps_1080p_30"]
    table.add_row("ours live", number(live), "")
    preview = figures["live_fps_1080p_30_preview"]
    table.add_row("ours live, a dashboard watching", number(preview), "")
    for name, fps in figures["fps_1080p_30"].items():
        table.add_row(NAMES[name], number(fps, 2), number(live / fps, 1, " x"))
    table.add_section()
    table.add_row("ours live, 720p, 8 faces", number(figures["live_fps_720p_8"]), "")
    if "video" in figures:
        clip = figures["video"]
        table.add_row("ours live, the clip", number(clip["live_fps"]), number(clip["live_ratio"]))
    return table


def _seen(figures: Mapping[str, Any]) -> Table:
    n = figures["n"]
    table = Table("what the live run saw, 1080p, 30 faces")
    table.add_column("", justify="right")
    table.add_column("n")
    seen = (
        (
            "recall of facenet-pytorch's detections",
            "live_recall_1080p_30",
            3,
            "reference_detections",
        ),
        ("newcomers found within, 95 %, s", "newcomer_p95_s", 2, "newcomers"),
        ("identity switches in 100 track-seconds", "identity_switches", 2, "track_seconds"),
        ("first visible to mark, median, s", "time_to_mark_s", 2, "due_a_mark"),
        ("wrong marks", "wrong_marks", 0, "due_a_mark"),
        ("boxes on nobody, a frame", "false_boxes_per_frame", 3, "frames"),
    )
    for title, key, digits, count in seen:
        words = f"{n[count]:,} {count.replace('_', ' ')}"
        table.add_row(title, number(figures[key], digits), words)
    table.add_row("peak memory of the live part, MB", number(figures["peak_mb"], 0), "")
    return table


def _stages(figures: Mapping[str, Any]) -> Table:
    table = Table("milliseconds by stage, medians", "")
    for name, stages in figures["stages_ms"].items():
        words = ", ".join(f"{stage} {number(ms)}" for stage, ms in stages.items())
        table.add_row(name.replace("_", " "), words or NOTHING)
    ratios = {"scan 720p 1": "scan_ratio_720p_1", "scan 720p 8": "scan_ratio_720p_8"}
    ratios |= {"scan 1080p 30": "scan_ratio_1080p_30", "one embedding": "embed_ratio"}
    table.add_section()
    for title, key in ratios.items():
        table.add_row(f"{title}, ours is faster by", number(figures[key], 1, " x"))
    return table
