"""Detections of successive frames joined into tracks, by overlap and constant velocity."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from attendance.core.domain import Detections, FloatArray, IntArray, TrackState
from attendance.core.geometry import iou

_VELOCITY_MEMORY = 0.5
MAX_GAP_S = 3.0


@dataclass(frozen=True)
class Track:
    """One face over time.

    Attributes:
        box: (4,) xyxy where it was last seen.
        velocity: (4,) pixels a second of the box's corners.
        hits: detections so far.
        first_s: when it was first seen.
        last_s: when it was last seen.
    """

    track_id: int
    box: FloatArray
    velocity: FloatArray
    hits: int
    first_s: float
    last_s: float
    state: TrackState

    def predicted(self, t_s: float) -> FloatArray:
        """Where its box should be now. Returns: (4,)."""
        return self.box + self.velocity * np.float32(t_s - self.last_s)


@dataclass(frozen=True)
class TrackUpdate:
    """What one frame did to the tracks.

    Attributes:
        live: tracks that are not lost.
        detection_of: index of this frame's detection by track id, for tracks seen in it.
        ended: tracks that were lost now.
    """

    live: tuple[Track, ...]
    detection_of: dict[int, int]
    ended: tuple[Track, ...]


class Tracker:
    """Keeps the tracks of one camera. Owned by the worker's thread.

    Args:
        min_iou: overlap between a prediction and a detection that continues a track.
        confirm_hits: detections before a track counts as confirmed.
        lost_after_s: seconds unseen after which a track ends.
    """

    def __init__(
        self, min_iou: float = 0.3, confirm_hits: int = 3, lost_after_s: float = 1.0
    ) -> None:
        self._min_iou = min_iou
        self._confirm_hits = confirm_hits
        self._lost_after_s = lost_after_s
        self._tracks: list[Track] = []
        self._next_id = 1
        self._last_s = -np.inf

    def update(self, detections: Detections, t_s: float) -> TrackUpdate:
        """Continue, start and end tracks with the faces of one frame.

        No track outlives a gap of more than `MAX_GAP_S` between two frames: after it nobody knows
        that a face in the old place is the old face.

        Args:
            detections: of this frame.
            t_s: its time; never before the last one's.
        """
        has_gap = t_s - self._last_s > max(MAX_GAP_S, self._lost_after_s)
        before_gap = self.finish() if has_gap else ()
        self._last_s = t_s
        rows, columns = self._assign(detections.boxes, t_s)
        detection_of: dict[int, int] = {}
        for row, column in zip(rows, columns, strict=True):
            track = self._continued(self._tracks[row], detections.boxes[column], t_s)
            self._tracks[row] = track
            detection_of[track.track_id] = int(column)
        for column in sorted(set(range(len(detections))) - set(columns.tolist())):
            track = self._started(detections.boxes[column], t_s)
            self._tracks.append(track)
            detection_of[track.track_id] = column
        ended = before_gap + self._drop(t_s)
        return TrackUpdate(tuple(self._tracks), detection_of, ended)

    def _assign(self, boxes: FloatArray, t_s: float) -> tuple[IntArray, IntArray]:
        nothing = np.zeros(0, np.intp)
        if not self._tracks or not len(boxes):
            return nothing, nothing
        predicted = np.stack([track.predicted(t_s) for track in self._tracks])
        overlap = iou(predicted.astype(np.float32), boxes)
        rows, columns = linear_sum_assignment(-overlap)
        good = overlap[rows, columns] >= self._min_iou
        return rows[good], columns[good]

    def _continued(self, track: Track, box: FloatArray, t_s: float) -> Track:
        elapsed = t_s - track.last_s
        measured = (box - track.box) / elapsed if elapsed > 0 else track.velocity
        velocity = _VELOCITY_MEMORY * track.velocity + (1 - _VELOCITY_MEMORY) * measured
        hits = track.hits + 1
        is_confirmed = hits >= self._confirm_hits
        return replace(
            track,
            box=box,
            velocity=np.asarray(velocity, np.float32),
            hits=hits,
            last_s=t_s,
            state=TrackState.CONFIRMED if is_confirmed else TrackState.TENTATIVE,
        )

    def _started(self, box: FloatArray, t_s: float) -> Track:
        still = np.zeros(4, np.float32)
        state = TrackState.CONFIRMED if self._confirm_hits == 1 else TrackState.TENTATIVE
        track = Track(self._next_id, box, still, 1, t_s, t_s, state)
        self._next_id += 1
        return track

    def _drop(self, t_s: float) -> tuple[Track, ...]:
        is_lost = [t_s - track.last_s > self._lost_after_s for track in self._tracks]
        ended = [replace(t, state=TrackState.LOST) for t, lost in self._zip(is_lost) if lost]
        self._tracks = [track for track, lost in self._zip(is_lost) if not lost]
        return tuple(ended)

    def _zip(self, flags: list[bool]) -> list[tuple[Track, bool]]:
        return list(zip(self._tracks, flags, strict=True))

    def finish(self) -> tuple[Track, ...]:
        """End every track, as at the end of a session."""
        ended = tuple(replace(track, state=TrackState.LOST) for track in self._tracks)
        self._tracks = []
        return ended
