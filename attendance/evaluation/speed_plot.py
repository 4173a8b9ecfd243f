"""The bench as one picture: how fast, by how much, and what was seen meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attendance.evaluation.plots import MARK, OTHER, SAME, STYLE
from attendance.evaluation.speed_table import NAMES, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAMERA_FPS = 30
OURS_LIVE, WATCHED = "ours, live", "the same, a dashboard watching"
PALE = "#adb5bd"
ROOM_FOR_LABELS = 4.0
_SIZE: Any = {"figure.figsize": (11, 6.4), "axes.grid": False, "axes.spines.left": False}


def plot_speed(figures: Mapping[str, Any], target: Path) -> None:
    """Draw the figures as a PNG.

    Args:
        figures: as `speed_figures.figures` gives them.
        target: written over if it is there.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({**STYLE, **_SIZE}):
        figure = Figure()
        FigureCanvasAgg(figure)
        figure.suptitle("Thirty faces in 1080p, everything in one run", x=0.01, ha="left", size=14)
        axes = figure.subplot_mosaic(
            [["speed", "speed"], ["ratios", "seen"]],
            height_ratios=[1.1, 1],
            width_ratios=[1, 1.6],
        )
        _draw_speed(axes["speed"], figures)
        _draw_ratios(axes["ratios"], figures)
        _draw_seen(axes["seen"], figures)
        _sign(figure, figures)
        figure.savefig(target, format="png")


def _draw_speed(axes: Axes, figures: Mapping[str, Any]) -> None:
    """Frames a second on a logarithmic axis, the fastest on top."""
    speeds = {OURS_LIVE: figures["live_fps_1080p_30"]}
    speeds[WATCHED] = figures["live_fps_1080p_30_preview"]
    speeds |= {NAMES[name]: fps for name, fps in figures["fps_1080p_30"].items()}
    rows = sorted(speeds.items(), key=lambda row: row[1])
    colours = [_colour(name) for name, _ in rows]
    bars = axes.barh([name for name, _ in rows], [fps for _, fps in rows], color=colours)
    axes.bar_label(bars, [f"{number(fps, 1 if fps >= 1 else 2)}" for _, fps in rows], padding=4)
    slowest, fastest = rows[0][1], rows[-1][1]
    axes.axvline(CAMERA_FPS, color=MARK, ls=":", lw=1.2)
    axes.annotate(
        "a camera's 30", (CAMERA_FPS, 1), (4, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", color=MARK, size=9, va="bottom",
    )  # fmt: skip
    right = max(fastest, CAMERA_FPS) * ROOM_FOR_LABELS
    axes.set(xscale="log", xlim=(slowest / 3, right), xticks=[])
    axes.minorticks_off()
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title("Frames a second, decoding included (logarithmic)", pad=16)


def _colour(name: str) -> str:
    if name in {OURS_LIVE, WATCHED}:
        return SAME
    if name == NAMES["ours_full_scan"]:
        return "#91bbf5"
    return OTHER if name == NAMES["facenet_pytorch"] else PALE


def _draw_ratios(axes: Axes, figures: Mapping[str, Any]) -> None:
    """How many times faster than facenet-pytorch, part by part."""
    parts = {
        "one embedding": "embed_ratio",
        "scan, 1080p, 30 faces": "scan_ratio_1080p_30",
        "scan, 720p, 8 faces": "scan_ratio_720p_8",
        "scan, 720p, 1 face": "scan_ratio_720p_1",
        "live, 1080p, 30 faces": "live_ratio_1080p_30",
    }
    values = [figures[key] or 0.0 for key in parts.values()]
    bars = axes.barh(list(parts), values, color=SAME, height=0.62)
    axes.bar_label(bars, [number(figures[key], 1, "×") for key in parts.values()], padding=4)
    axes.set(xlim=(0, 1.2 * max(values)), xticks=[])
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title("Times faster than facenet-pytorch")


def _draw_seen(axes: Axes, figures: Mapping[str, Any]) -> None:
    """What the live run saw, as words and figures with their n."""
    n = figures["n"]
    marked = f"{n['due_a_mark']} people, {n['never_marked']} never marked"
    rows = (
        ("recall of facenet-pytorch's boxes", number(figures["live_recall_1080p_30"], 3),
         f"{n['reference_detections']:,} boxes"),
        ("95 % of newcomers found within", number(figures["newcomer_p95_s"], 2, " s"),
         f"{n['newcomers']} newcomers"),
        ("identity switches in 100 track-s", number(figures["identity_switches"], 2),
         f"{n['track_seconds']:,.0f} track-s"),
        ("first visible to mark, median", number(figures["time_to_mark_s"], 2, " s"), marked),
        ("peak memory of the live part", number(figures["peak_mb"], 0, " MB"), ""),
    )  # fmt: skip
    axes.set_axis_off()
    axes.set_title("What the live run saw")
    for place, (what, value, count) in enumerate(rows):
        y = 0.88 - 0.205 * place
        axes.text(0.0, y, what, va="center", transform=axes.transAxes)
        axes.text(0.68, y, value, va="center", ha="right", weight="bold", transform=axes.transAxes)
        axes.text(0.71, y, count, va="center", size=9, color=MARK, transform=axes.transAxes)


def _sign(figure: Figure, figures: Mapping[str, Any]) -> None:
    """What it was measured on, at the foot."""
    words = f"{figures['processor']}; {figures['n']['frames']:,} frames of the synthetic class"
    figure.supxlabel(words, x=0.01, ha="left", size=9, color=MARK)
