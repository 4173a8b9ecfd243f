"""Real sources and real hangs: files, folders, network cameras that go away."""

import contextlib
import os
import threading
import time
from datetime import timedelta
from itertools import pairwise

import cv2
import numpy as np
import pytest

from attendance.capture import Capture
from attendance.core.domain import CameraState
from attendance.core.errors import CameraError
from attendance.source import SourceKind, parse_source
from attendance.stream import frames_of, open_source
from tests.fakes import (
    NINE,
    until,
)
from tests.integration.mjpeg import MjpegServer, jpeg

PROMISED_S = 2.0
STALL_S = 1.2
GREYS = range(10, 250, 8)


def grey(value):
    return np.full((120, 160, 3), value, np.uint8)


def captured(source, **options):
    spec = parse_source(str(source))
    return Capture(
        lambda: open_source(spec), is_recorded=spec.is_recorded, stall_s=STALL_S, **options
    )


def state(capture):
    return capture.status().state


def values(frames):
    """The grey of each frame, as far as a codec keeps it."""
    return [round(float(frame.image.mean())) for frame in frames]


@pytest.fixture
def video(tmp_path):
    """A video of 30 pictures at 60 a second, each a little brighter than the one before."""
    path = tmp_path / "lesson.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 60.0, (160, 120))
    for value in GREYS:
        writer.write(grey(value))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, value in (("b.png", 90), ("a.JPG", 30), ("c.webp", 150)):
        cv2.imwrite(str(folder / name), grey(value))
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture
def server():
    with MjpegServer([jpeg(grey(value)) for value in GREYS], fps=25) as server:
        yield server


@pytest.fixture
def fifo(tmp_path):
    """A named pipe nobody writes to: whoever opens it waits for ever. Let go at the end."""
    path = tmp_path / "camera.mp4"
    os.mkfifo(path)
    yield path
    readers = {"capture"}
    until(lambda: poke(path) and not readers & {thread.name for thread in threading.enumerate()})


def poke(fifo):
    """Write nothing to a pipe, which lets one waiting reader go."""
    with contextlib.suppress(OSError):
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    return True


# What a source names


def test_paths_are_files_or_folders(video, folder):
    assert parse_source(str(video)).kind is SourceKind.FILE
    assert parse_source(f" {folder} ").kind is SourceKind.FOLDER
    assert parse_source(str(video)).is_recorded
    assert parse_source(str(folder)).is_recorded


def test_a_path_may_start_at_home(video, monkeypatch):
    monkeypatch.setenv("HOME", str(video.parent))
    assert parse_source("~/lesson.mp4").address == str(video)


@pytest.mark.parametrize("source", ["", "   "])
def test_an_empty_source_is_not_the_current_folder(source, folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(CameraError, match="there is no camera ''"):
        parse_source(source)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("lesson.mp4", b"these are words", "lesson.mp4 is not a video that can be played"),
        ("empty.mp4", b"", "empty.mp4 is not a video that can be played"),
    ],
)
def test_what_is_no_video_gets_a_sentence(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CameraError, match=says):
        open_source(parse_source(str(tmp_path / name)))


def test_a_folder_without_images_gets_a_sentence(tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture")
    with pytest.raises(CameraError, match="holds no images"):
        open_source(parse_source(str(tmp_path)))


def test_a_folder_that_went_away_gets_a_sentence(folder):
    spec = parse_source(str(folder))
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(CameraError, match="cannot be looked at"):
        open_source(spec)


def test_a_text_file_renamed_to_a_picture_is_named(folder):
    (folder / "bb.jpg").write_text("these are words")
    source = open_source(parse_source(str(folder)))
    with pytest.raises(CameraError, match=r"bb\.jpg is not an image that can be read"):
        list(frames_of(source, NINE))


# Recordings


def test_a_video_as_fast_as_it_goes_has_every_frame_in_media_time(video):
    frames = list(frames_of(open_source(parse_source(str(video))), NINE))
    assert len(frames) == len(GREYS)
    assert all(earlier < later for earlier, later in pairwise(values(frames)))
    assert [frame.t_s for frame in frames] == pytest.approx([n / 60 for n in range(30)])
    assert frames[-1].at == NINE + timedelta(seconds=29 / 60)


def test_a_folder_is_played_in_the_order_of_names_two_a_second(folder):
    frames = list(frames_of(open_source(parse_source(str(folder))), NINE))
    assert values(frames) == pytest.approx([30, 90, 150], abs=3)
    assert [frame.t_s for frame in frames] == [0.0, 0.5, 1.0]


def test_a_video_at_its_own_pace_takes_its_time_and_ends(video):
    began = time.monotonic()
    with captured(video) as capture:
        until(lambda: state(capture) is CameraState.ENDED, 10)
        assert time.monotonic() - began >= 29 / 60
        status = capture.status()
        assert (status.frames, status.dropped) == (30, 29)
        assert values([capture.newer_than(0, 0)]) == pytest.approx([GREYS[-1]], abs=6)


# Cameras that go away


def test_a_network_camera_gives_its_newest_picture(server):
    with captured(server.url) as capture:
        first = capture.newer_than(0, 10)
        second = capture.newer_than(first.number, 10)
        assert second.number > first.number
        assert second.t_s > first.t_s
        assert state(capture) is CameraState.LIVE


def test_a_network_camera_killed_and_restarted(server, measured):
    with captured(server.url) as capture:
        assert capture.newer_than(0, 10) is not None
        server.kill()
        lost_s = until(lambda: state(capture) is CameraState.LOST, PROMISED_S)
        seen = capture.status().frames
        server.start()
        back_s = until(lambda: capture.status().frames > seen, 10)
        assert capture.newer_than(seen, 1).number > seen
        assert state(capture) is CameraState.LIVE
    measured("killed camera noticed", lost_s)
    measured("frames again after restart", back_s)


def test_a_network_camera_that_stays_silent_for_ever(server, measured):
    with captured(server.url) as capture:
        assert capture.newer_than(0, 10) is not None
        server.go_silent()
        lost_s = until(lambda: state(capture) is CameraState.LOST, PROMISED_S)
        began = time.monotonic()
        capture.close()
        assert time.monotonic() - began < PROMISED_S
    measured("silent camera noticed", lost_s)


def test_a_network_camera_that_takes_the_call_and_says_nothing(server):
    server.go_silent()
    with captured(server.url) as capture:
        until(lambda: state(capture) is CameraState.LOST, PROMISED_S)
        assert capture.status().detail == "no picture comes from the camera"
    server.kill()


def test_a_network_camera_that_is_not_there(server):
    server.kill()
    with captured(server.url) as capture:
        until(lambda: state(capture) is CameraState.LOST, PROMISED_S)
        assert "is the camera on the network?" in capture.status().detail


def test_a_webcam_that_is_not_there_is_lost_with_a_sentence():
    with captured("97") as capture:
        until(lambda: state(capture) is CameraState.LOST, PROMISED_S)
        assert capture.status().detail == (
            "webcam 97 does not answer: is it plugged in, or in use elsewhere?"
        )


def test_an_opening_that_hangs_for_ever_is_lost_and_closed_in_time(fifo, measured):
    with captured(fifo) as capture:
        assert state(capture) is CameraState.STARTING
        lost_s = until(lambda: state(capture) is CameraState.LOST, PROMISED_S)
        assert capture.status().stuck_s > STALL_S
        began = time.monotonic()
        assert not capture.close()
        closed_s = time.monotonic() - began
        assert closed_s < PROMISED_S
    measured("hanging camera noticed", lost_s)
    measured("capture closed although it hangs", closed_s)


def test_numbers_and_times_of_frames_only_grow(server):
    taken = []
    with captured(server.url) as capture:
        for _ in range(10):
            taken.append(capture.newer_than(taken[-1].number if taken else 0, 10))
    assert all(b.number > a.number and b.t_s > a.t_s for a, b in pairwise(taken))
