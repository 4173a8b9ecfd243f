"""Faces over time: every track says where its face should be, and is told what was there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from attendance.core.domain import Detections, FloatArray, TrackState
from attendance.core.geometry import Bools, iou

_VELOCITY_MEMORY = 0.5
_EXTRAPOLATED_S = 0.2
MAX_GAP_S = 3.0


@dataclass(frozen=True)
class Track:
    """One face over time.

    Attributes:
        box: (4,) xyxy where it was last seen.
        landmarks: (5, 2) xy where they were then.
        velocity: (4,) pixels a second of the box's corners.
        hits: how often it was seen so far.
        first_s: when it was first seen.
        last_s: when it was last seen.
    """

    track_id: int
    box: FloatArray
    landmarks: FloatArray
    velocity: FloatArray
    hits: int
    first_s: float
    last_s: float
    state: TrackState

    def predicted(self, t_s: float) -> FloatArray:
        """Where its box should be now; an unseen face is not taken to move on for long.

        Returns:
            (4,).
        """
        elapsed_s = min(t_s - self.last_s, _EXTRAPOLATED_S)
        return np.asarray(self.box + self.velocity * np.float32(elapsed_s), np.float32)


@dataclass(frozen=True)
class TrackUpdate:
    """What one frame did to the tracks.

    Attributes:
        live: tracks that are not lost.
        seen: ids of those that were seen in this frame.
        ended: tracks that were lost now.
    """

    live: tuple[Track, ...]
    seen: frozenset[int]
    ended: tuple[Track, ...]


class Tracker:
    """Keeps the tracks of one camera. Owned by the worker's thread.

    Each frame is one `expect` and one `update`:

        boxes = tracker.expect(t_s)              # where to look
        update = tracker.update(there, new, t_s)  # what was there, and who is new

    Args:
        min_iou: overlap between a new face and a track out of sight that continues the track.
        confirm_hits: sightings before a track counts as confirmed.
        lost_after_s: seconds unseen after which a track ends.
    """

    def __init__(
        self, min_iou: float = 0.3, confirm_hits: int = 3, lost_after_s: float = 1.0
    ) -> None:
        self._min_iou = min_iou
        self._confirm_hits = confirm_hits
        self._lost_after_s = lost_after_s
        self._tracks: list[Track] = []
        self._ended: list[Track] = []
        self._next_id = 1
        self._last_s = -np.inf

    def expect(self, t_s: float) -> tuple[FloatArray, Bools]:
        """Where the faces should be in the frame of this time, a row a track.

        No track outlives a gap of more than `MAX_GAP_S` between two frames: after it nobody knows
        that a face in the old place is the old face.

        Args:
            t_s: its time; never before the last one's.

        Returns:
            (n, 4) boxes, and (n,) whether each was seen in the frame before.
        """
        before_s = self._last_s
        if t_s - self._last_s > max(MAX_GAP_S, self._lost_after_s):
            self._ended += self.finish()
        self._last_s = t_s
        boxes = [track.predicted(t_s) for track in self._tracks]
        is_fresh = np.array([track.last_s == before_s for track in self._tracks], np.bool_)
        return np.array(boxes, np.float32).reshape(-1, 4), is_fresh

    def update(self, there: Detections, newcomers: Detections, t_s: float) -> TrackUpdate:
        """Continue, start and end tracks.

        Args:
            there: what was found for each row of `expect`, score 0 where nothing was.
            newcomers: faces found elsewhere, best score first.
            t_s: the frame's time.
        """
        seen = set()
        for row in np.flatnonzero(there.scores > 0):
            self._tracks[row] = self._continued(self._tracks[row], there, int(row), t_s)
            seen.add(self._tracks[row].track_id)
        for column in range(len(newcomers)):
            seen.add(self._admit(newcomers, column, seen, t_s))
        ended = (*self._ended, *self._drop(t_s))
        self._ended = []
        return TrackUpdate(tuple(self._tracks), frozenset(seen), ended)

    def split(self, track_id: int) -> tuple[Track, Track]:
        """Another face has taken this one's place.

        Returns:
            The track as it ended, and the one that begins.
        """
        row = next(i for i, track in enumerate(self._tracks) if track.track_id == track_id)
        old = self._tracks[row]
        new = replace(old, track_id=self._next_id, first_s=old.last_s)
        self._next_id += 1
        self._tracks[row] = new
        return replace(old, state=TrackState.LOST), new

    def finish(self) -> tuple[Track, ...]:
        """End every track, as at the end of a session."""
        ended = tuple(replace(track, state=TrackState.LOST) for track in self._tracks)
        self._tracks = []
        return ended

    def _admit(self, faces: Detections, column: int, seen: set[int], t_s: float) -> int:
        """A new face: somebody out of sight who is back near by, or somebody new."""
        rows = [i for i, track in enumerate(self._tracks) if track.track_id not in seen]
        hidden = np.array([self._tracks[row].predicted(t_s) for row in rows], np.float32)
        overlap = iou(hidden.reshape(-1, 4), faces.boxes[[column]])[:, 0]
        if rows and overlap.max() >= self._min_iou:
            row = rows[int(np.argmax(overlap))]
            self._tracks[row] = self._continued(self._tracks[row], faces, column, t_s)
            return self._tracks[row].track_id
        self._tracks.append(self._started(faces, column, t_s))
        return self._tracks[-1].track_id

    def _continued(self, track: Track, faces: Detections, row: int, t_s: float) -> Track:
        elapsed_s = t_s - track.last_s
        box = faces.boxes[row]
        measured = (box - track.box) / elapsed_s if elapsed_s > 0 else track.velocity
        velocity = _VELOCITY_MEMORY * track.velocity + (1 - _VELOCITY_MEMORY) * measured
        hits = track.hits + 1
        return replace(
            track,
            box=box,
            landmarks=faces.landmarks[row],
            velocity=np.asarray(velocity, np.float32),
            hits=hits,
            last_s=t_s,
            state=self._state(hits),
        )

    def _started(self, faces: Detections, row: int, t_s: float) -> Track:
        still = np.zeros(4, np.float32)
        box, landmarks = faces.boxes[row], faces.landmarks[row]
        track = Track(self._next_id, box, landmarks, still, 1, t_s, t_s, self._state(1))
        self._next_id += 1
        return track

    def _state(self, hits: int) -> TrackState:
        return TrackState.CONFIRMED if hits >= self._confirm_hits else TrackState.TENTATIVE

    def _drop(self, t_s: float) -> tuple[Track, ...]:
        lost = [track for track in self._tracks if t_s - track.last_s > self._lost_after_s]
        gone = {track.track_id for track in lost}
        self._tracks = [track for track in self._tracks if track.track_id not in gone]
        return tuple(replace(track, state=TrackState.LOST) for track in lost)
