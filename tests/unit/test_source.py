"""What a source string names, and that no password in it is shown."""

import pytest

from attendance.core.errors import CameraError
from attendance.source import SourceKind, parse_source, without_password


@pytest.mark.parametrize(
    ("source", "kind", "address"),
    [
        ("0", SourceKind.WEBCAM, "0"),
        (" 12 ", SourceKind.WEBCAM, "12"),
        ("rtsp://cam/live", SourceKind.URL, "rtsp://cam/live"),
        ("RTSPS://cam/live", SourceKind.URL, "RTSPS://cam/live"),
        ("https://me:pw@cam:80/v?x=1", SourceKind.URL, "https://me:pw@cam:80/v?x=1"),
    ],
)
def test_what_a_source_names(source, kind, address):
    spec = parse_source(source, 640, 480)
    assert (spec.kind, spec.address, spec.width, spec.height) == (kind, address, 640, 480)
    assert not spec.is_recorded


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "nothing: not the current folder"),
        ("   ", "blanks"),
        ("1234", "no webcam has such a number"),
        ("-1", "nor this one"),
        ("ftp://cam/live", "a protocol we do not read"),
        ("no/such/video.mp4", "a file that is not there"),
        ("a\0b", "no path at all"),
        ("x" * 5000, "longer than a path may be"),
        ("~nobody-of-this-name/video.mp4", "the home of nobody"),
    ],
)
def test_what_names_no_camera_gets_a_sentence(source, reason):
    with pytest.raises(CameraError, match=r"camera '") as caught:
        parse_source(source)
    assert len(str(caught.value)) < 6000, reason


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://10.0.0.7/live", "rtsp://10.0.0.7/live"),
        ("rtsp://admin:secret@10.0.0.7/live", "rtsp://***@10.0.0.7/live"),
        ("rtsp://admin:p@ss@10.0.0.7/live", "rtsp://***@10.0.0.7/live"),
        ("http://cam/v.cgi?user=a&pwd=secret", "http://cam/v.cgi?***"),
        ("http://a:b@cam/v?pwd=x@y", "http://***@cam/v?***"),
        ("http://cam/v?mail=a@b", "http://cam/v?***"),
    ],
)
def test_no_password_is_shown(address, shown):
    assert without_password(address) == shown
