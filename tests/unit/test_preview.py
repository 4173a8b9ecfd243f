"""The picture for the screens: small, pulled one at a time, and for who has the key only."""

import json
import stat
import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from pathlib import Path

import cv2
import numpy as np
import pytest

from attendance.core.domain import Decision, Frame, FrameResult, TrackState, TrackView
from attendance.preview import PreviewClient, PreviewServer, encode
from tests.fakes import NINE

SESSION = 7


@pytest.fixture
def server(tmp_path):
    server = PreviewServer(tmp_path, SESSION, width=100)
    yield server
    server.close()


@pytest.fixture
def client(tmp_path):
    return PreviewClient(tmp_path)


def frame(number, width=200, height=120):
    image = np.full((height, width, 3), 128, np.uint8)
    return Frame(number, image, 0.0, NINE)


def track(decision=Decision.ACCEPT, student_id=5, state=TrackState.CONFIRMED):
    return TrackView(1, state, (20.0, 30.0, 100.0, 90.0), decision, student_id, 0.7)


def card(tmp_path):
    path = tmp_path / "run" / f"preview-{SESSION}.json"
    return path, json.loads(path.read_text(encoding="utf-8"))


def test_the_newest_frame_is_given_with_its_tracks(server, client):
    server.show(frame(1), FrameResult(1))
    server.show(frame(2), FrameResult(2, (track(),)))
    preview = client.frame(SESSION, 0)
    assert (preview.number, preview.width, preview.height) == (2, 100, 60)
    assert preview.tracks[0].box == pytest.approx((0.1, 0.25, 0.5, 0.75))
    assert (preview.tracks[0].decision, preview.tracks[0].student_id) == (Decision.ACCEPT, 5)
    shown = cv2.imdecode(np.frombuffer(preview.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (60, 100, 3)


def test_whoever_has_the_newest_waits_for_the_next(server, client):
    server.show(frame(1), FrameResult(1))
    assert client.frame(SESSION, 1, timeout_s=0.01) is None
    threading.Timer(0.02, server.show, [frame(2), FrameResult(2)]).start()
    assert client.frame(SESSION, 1, timeout_s=5.0).number == 2


def test_one_client_serves_many_threads(server, client):
    server.show(frame(1), FrameResult(1))
    got = []
    askers = [
        threading.Thread(target=lambda: got.append(client.frame(SESSION, 0).number))
        for _ in range(8)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(10)
    assert got == [1] * 8


def test_without_a_camera_process_there_is_no_picture_and_no_wait(client, server):
    began = time.monotonic()
    assert client.frame(99, 0) is None
    server.close()
    assert client.frame(SESSION, 0) is None
    assert time.monotonic() - began < 2


def test_a_camera_process_that_was_killed_leaves_no_picture(tmp_path, client):
    """Its card stays behind and names a socket where nobody listens."""
    (tmp_path / "run").mkdir()
    content = {"address": str(tmp_path / "run" / "nobody.sock"), "key": "00" * 32}
    (tmp_path / "run" / f"preview-{SESSION}.json").write_text(json.dumps(content))
    assert client.frame(SESSION, 0) is None


@pytest.mark.parametrize("content", ["", "{", '{"address": "x", "key": "zz"}'])
def test_a_card_that_says_nothing_is_no_picture(tmp_path, client, content):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f"preview-{SESSION}.json").write_text(content)
    assert client.frame(SESSION, 0) is None


def test_after_a_restart_the_same_client_finds_the_new_process(tmp_path, server, client):
    server.show(frame(1), FrameResult(1))
    assert client.frame(SESSION, 0).number == 1
    server.close()
    again = PreviewServer(tmp_path, SESSION)
    try:
        again.show(frame(8), FrameResult(8))
        numbers = [getattr(client.frame(SESSION, 1), "number", None) for _ in range(2)]
        assert 8 in numbers
    finally:
        again.close()


def test_a_wrong_key_is_refused_and_the_next_client_served(tmp_path, server, client):
    """A client that had read the card of the process before ended the accepting thread for good."""
    server.show(frame(1), FrameResult(1))
    _, content = card(tmp_path)
    for _ in range(2):
        with pytest.raises(AuthenticationError):
            Client(content["address"], authkey=b"of the process before")
    assert client.frame(SESSION, 0).number == 1


def test_a_client_with_an_old_key_sees_no_picture_and_no_traceback(tmp_path, server, client):
    path, content = card(tmp_path)
    path.write_text(json.dumps(content | {"key": "00" * 32}))
    assert client.frame(SESSION, 0) is None


def test_the_key_is_for_the_owner_only(tmp_path, server):
    path, content = card(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(bytes.fromhex(content["key"])) == 32


def test_close_takes_the_address_away(tmp_path):
    server = PreviewServer(tmp_path, SESSION)
    server.close()
    assert list((tmp_path / "run").iterdir()) == []


def test_a_home_whose_path_is_too_long_for_a_socket(tmp_path):
    home = tmp_path / ("long" * 30)
    server = PreviewServer(home, SESSION)
    server.show(frame(3), FrameResult(3))
    elsewhere = Path(card(home)[1]["address"]).parent
    assert PreviewClient(home).frame(SESSION, 0).number == 3
    server.close()
    assert list((home / "run").iterdir()) == []
    assert not elsewhere.exists()


def test_only_confirmed_tracks_are_shown():
    tracks = (track(state=TrackState.TENTATIVE), track(Decision.UNKNOWN, None))
    preview = encode(frame(1), FrameResult(1, tracks), 960, 70)
    assert [t.decision for t in preview.tracks] == [Decision.UNKNOWN]


@pytest.mark.parametrize(
    ("width", "size", "reason"),
    [
        (960, (200, 120), "never made larger"),
        (200, (200, 120), "exactly as wide"),
        (100, (100, 60), "half"),
        (3, (3, 2), "to almost nothing"),
    ],
)
def test_pictures_are_made_small(width, size, reason):
    preview = encode(frame(1), FrameResult(1), width, 70)
    assert (preview.width, preview.height) == size, reason


def test_a_client_that_never_reads_costs_nobody_else_anything(tmp_path, server, client):
    """A browser on a sleeping laptop: it asked, and takes none of what it is sent."""
    _, content = card(tmp_path)
    stuck = [Client(content["address"], authkey=bytes.fromhex(content["key"])) for _ in range(3)]
    noise = np.random.default_rng(1).integers(0, 255, (600, 960, 3), np.uint8)
    for number in range(1, 6):
        for connection in stuck:
            connection.send((0, 1.0))
        server.show(Frame(number, noise, 0.0, NINE), FrameResult(number))
        assert client.frame(SESSION, number - 1).number == number
    for connection in stuck:
        connection.close()


def test_screens_that_watch_together_share_one_picture(tmp_path):
    server = PreviewServer(tmp_path, SESSION, fps=1000)
    client = PreviewClient(tmp_path)
    try:
        server.show(frame(1), FrameResult(1))
        assert client.frame(SESSION, 0) == client.frame(SESSION, 0)
    finally:
        server.close()


def test_pictures_are_made_no_faster_than_asked(tmp_path):
    """However fast a browser asks, the engine's processor is not spent on JPEGs."""
    server = PreviewServer(tmp_path, SESSION, fps=20)
    client = PreviewClient(tmp_path)
    try:
        began = time.monotonic()
        for number in range(1, 6):
            server.show(frame(number), FrameResult(number))
            assert client.frame(SESSION, number - 1).number == number
        assert time.monotonic() - began >= 4 / 20
    finally:
        server.close()


@pytest.mark.parametrize("shape", [(1, 2000, 3), (2000, 1, 3), (1, 1, 3)])
def test_a_picture_one_pixel_thin_is_a_picture(shape):
    """Made small it had no height left, and its client was cut off."""
    thin = Frame(1, np.zeros(shape, np.uint8), 0.0, NINE)
    preview = encode(thin, FrameResult(1), 960, 70)
    assert min(preview.width, preview.height) == 1
    assert preview.jpeg[:2] == b"\xff\xd8"
