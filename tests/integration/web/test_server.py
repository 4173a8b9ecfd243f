"""The server as a process: loopback only, one event to every screen, and a quick stop."""

import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import socketio

from attendance.config import Config
from attendance.core.errors import AttendanceError
from web.server import serve

SERVE = """
import sys
from pathlib import Path
from attendance.config import Config
from web.server import serve
say = lambda port: print(port, flush=True)
serve(Path(sys.argv[1]), Config(), 0, say, werkzeug=sys.argv[2] == "werkzeug")
print("stopped", flush=True)
"""


class Server:
    """The web side of a school in a process of its own."""

    def __init__(self, home, kind):
        command = [sys.executable, "-c", SERVE, str(home), kind]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        """Seconds until the process had ended, and what it said last."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=10)
        return time.monotonic() - began, said.strip()


@pytest.fixture(params=["gunicorn", "werkzeug"])
def server(request, school, room):
    server = Server(school.home, request.param)
    yield server
    if server.process.poll() is None:
        server.process.kill()
        server.process.communicate()


def test_a_commit_reaches_a_websocket_and_the_server_stops_with_it_open(server, room):
    session = room.open()
    arrived, messages = threading.Event(), []
    client = socketio.Client(reconnection=False)

    def take(message):
        messages.append(message)
        arrived.set()

    client.on("events", take, namespace="/live")
    client.connect(server.url, transports=["websocket"], namespaces=["/live"])
    answer = client.call("subscribe", {"session": session.id, "after": 0}, namespace="/live")
    assert [event["kind"] for event in answer["events"]] == ["opened"]

    room.see(session, room.students[0])
    assert arrived.wait(10)
    assert messages[0]["events"][0]["kind"] == "arrival"

    took_s, said = server.stop()
    assert server.process.returncode == 0
    assert said == "stopped", "only the process that called serve returns from it, once"
    assert took_s < 3
    client.disconnect()


def test_a_taken_port_is_said_before_anything_is_served(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AttendanceError, match=f"port {port} .* --port"):
            serve(tmp_path / "home", Config(), port)


def test_a_database_that_is_none_is_said_before_anything_is_served(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "attendance.db").write_text("just words, no database")
    with pytest.raises(AttendanceError, match=r"attendance\.db"):
        serve(home, Config(), 0)
