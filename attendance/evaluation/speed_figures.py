"""What a run of the bench found out, as figures under fixed keys.

A figure that could not be measured is None, and `why_null` says why.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from attendance.evaluation.detection import partners
from attendance.evaluation.live import LiveRun
from attendance.evaluation.moving_class import LARGE_CLASS, ONE_PERSON, SMALL_CLASS
from attendance.evaluation.speed import DLIB, FULL, REFERENCE, YUNET, Measured, Sampled
from attendance.evaluation.tracking_score import (
    MIN_IOU,
    LabelledBoxes,
    Marks,
    Visit,
    marks,
    newcomer_delays,
    pairings,
    percentile_95,
    recalled,
    switches,
)

DUE_A_MARK_S = 4.0
LARGE, SMALL, PREVIEWED = LARGE_CLASS.name, SMALL_CLASS.name, f"{LARGE_CLASS.name}_preview"
VIDEO = "video"

Figures = dict[str, Any]


def figures(measured: Measured) -> Figures:
    """Every figure of the run; times in milliseconds unless the key says otherwise."""
    live = measured.lives
    tracked = _tracked(measured)
    speeds = {name: run.frames_per_s for name, run in live.items()}
    others = {name: measured.sampled[LARGE].frames_per_s(name) for name in measured.variants}
    found: Figures = {
        "processor": processor(),
        **_scans(measured),
        "live_fps_720p_8": speeds[SMALL],
        "live_fps_1080p_30": speeds[LARGE],
        "live_fps_1080p_30_preview": speeds[PREVIEWED],
        "live_ratio_1080p_30": _ratio(speeds[LARGE], others[REFERENCE]),
        **tracked,
        "embed_ratio": _ratio(measured.embed_ms[1], measured.embed_ms[0]),
        "ratio_to_yunet_sface": _ratio(speeds[LARGE], others.get(YUNET)),
        "ratio_to_dlib_hog": _ratio(speeds[LARGE], others.get(DLIB)),
        "ratio_to_ours_full_scan": _ratio(speeds[LARGE], others[FULL]),
        "peak_mb": live[LARGE].peak_mb,
        "stages_ms": _stages(measured),
        "fps_1080p_30": others,
        "embeddings_per_s": {
            "ours": 1000 / measured.embed_ms[0],
            REFERENCE: 1000 / measured.embed_ms[1],
        },
        "variants": measured.variants,
    }
    found["n"] |= {"previews": live[PREVIEWED].previews}
    found["why_null"] |= _missing(measured)
    if VIDEO in live:
        found[VIDEO] = _clip(live[VIDEO], measured.sampled[VIDEO])
    return found


def _scans(measured: Measured) -> Figures:
    scans = measured.scans
    names = (ONE_PERSON.name, SMALL, LARGE)
    return {f"scan_ratio_{name}": _ratio(scans[name][1], scans[name][0]) for name in names}


def _tracked(measured: Measured) -> Figures:
    """What the live run on the large class saw, with the n of everything."""
    run, film, sampled = measured.lives[LARGE], measured.large, measured.sampled[LARGE]
    people = [film.people(number) for number in range(run.frames)]
    visits = [_until(visit, run.frames) for visit in film.visits if visit.first < run.frames]
    paired = pairings(people, run.tracks)
    moved = switches(paired, run.fps)
    delays = newcomer_delays(visits, people, run.tracks, run.fps)
    marked = marks(visits, paired, run.accepts, run.fps, DUE_A_MARK_S)
    hits, n_reference = recalled(sampled.references, run.tracks)
    figure = {
        "live_recall_1080p_30": hits / n_reference if n_reference else None,
        "newcomer_p95_s": finite(percentile_95(delays)) if delays else None,
        "identity_switches": finite(moved.per_100_track_seconds),
        "time_to_mark_s": None if measured.is_repeating else _median_mark(marked),
        "wrong_marks": None if measured.is_repeating else marked.wrong,
        "false_boxes_per_frame": _false_boxes(people, run.tracks),
        "is_cut_short": run.is_cut_short,
    }
    count = {
        "frames": run.frames,
        "reference_detections": n_reference,
        "newcomers": len(delays),
        "newcomers_never_found": sum(map(math.isinf, delays)),
        "seats_taken_over": sum(visit.takes_over for visit in visits),
        "track_seconds": round(moved.track_seconds, 1),
        "switches_of_people": moved.of_people,
        "switches_of_tracks": moved.of_tracks,
        "due_a_mark": len(marked.delays_s),
        "never_marked": sum(map(math.isinf, marked.delays_s)),
    }
    return {**figure, "n": count, "why_null": _silent(measured, figure, len(marked.delays_s))}


def _silent(measured: Measured, figure: Mapping[str, Any], n_due: int) -> dict[str, str]:
    """Why figures of the tracking are None."""
    names = "the faces repeat: too few people with two photos, give --faces a larger folder"
    unmarked = names if measured.is_repeating else "half of those due a mark never got it"
    if not measured.is_repeating and not n_due:
        unmarked = f"nobody was visible for {DUE_A_MARK_S:g} s"
    is_new = any(visit.is_newcomer for visit in measured.large.visits)
    reasons = {
        "live_recall_1080p_30": "facenet-pytorch found no face",
        "newcomer_p95_s": "more than one newcomer in twenty is never found while visible"
        if is_new
        else "nobody comes in so short a video",
        "identity_switches": "nobody was followed",
        "time_to_mark_s": unmarked,
        "wrong_marks": names,
    }
    return {key: why for key, why in reasons.items() if figure[key] is None}


def _missing(measured: Measured) -> dict[str, str]:
    keys = {YUNET: "ratio_to_yunet_sface", DLIB: "ratio_to_dlib_hog"}
    return {keys[name]: why for name, why in measured.missing.items()}


def _stages(measured: Measured) -> Figures:
    stages: Figures = {f"live_{name}": run.stages_ms for name, run in measured.lives.items()}
    for video, sampled in measured.sampled.items():
        stages |= {f"{name}_{video}": sampled.stages_ms(name) for name in measured.variants}
        stages[f"decode_{video}"] = {"decode": sampled.decode_ms}
    for still, (ours, theirs) in measured.scans.items():
        stages[f"scan_{still}"] = {"ours": ours, REFERENCE: theirs}
    stages["embed_one_face"] = {"ours": measured.embed_ms[0], REFERENCE: measured.embed_ms[1]}
    return stages


def _clip(run: LiveRun, sampled: Sampled) -> Figures:
    """The real clip: speed and recall; nobody knows who is in it."""
    hits, n_reference = recalled(sampled.references, run.tracks)
    others = {name: sampled.frames_per_s(name) for name in sampled.stages}
    return {
        "frames": run.frames,
        "live_fps": run.frames_per_s,
        "live_ratio": _ratio(run.frames_per_s, others[REFERENCE]),
        "live_recall": hits / n_reference if n_reference else None,
        "reference_detections": n_reference,
        "fps": others,
        "names_given": len({accept.student_id for accept in run.accepts}),
        "is_cut_short": run.is_cut_short,
    }


def finite(value: float) -> float | None:
    """The value, None for nan and infinity."""
    return float(value) if math.isfinite(value) else None


def _median_mark(marked: Marks) -> float | None:
    """The median over all who were due a mark; who never got one waits for ever."""
    return finite(median(marked.delays_s)) if marked.delays_s else None


def _false_boxes(people: Sequence[LabelledBoxes], tracks: Sequence[LabelledBoxes]) -> float:
    """Tracks a frame that are on nobody."""
    pairs = zip(people, tracks, strict=True)
    false = [(partners(t.boxes, p.boxes, MIN_IOU) < 0).sum() for p, t in pairs]
    return float(np.mean(false))


def _until(visit: Visit, frames: int) -> Visit:
    """The part of a visit that was processed."""
    last = min(visit.end, frames)
    return Visit(
        visit.person, visit.student_id, visit.first, last, visit.is_newcomer, visit.takes_over
    )


def _ratio(value: float, other: float | None) -> float | None:
    return None if other is None else value / other


def processor() -> str:
    """What the figures were taken on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} x {len(names)}" if names else platform.processor() or platform.machine()
