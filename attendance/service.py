"""The whole server: a web process, a supervisor, and through it a camera process a session.

with Service(home, config, port=0) as service:
    while not stop.is_set():
        service.step()
        stop.wait(STEP_S)
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import sys
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from filelock import FileLock, Timeout

from attendance import nursery
from attendance.bootstrap import School
from attendance.config import Config
from attendance.core.errors import AttendanceError
from attendance.sessions import is_alive, process_token
from attendance.supervisor import Spawner, Supervisor

WEB_STARTS_WITHIN_S = 60.0
WEB_STOPS_WITHIN_S = 3.0

log = logging.getLogger(__name__)


class Service:
    """One running server of one school. Owned by one thread.

    Args:
        home: the school's folder.
        config: the settings.
        port: to listen on; 0 takes a free one.
    """

    def __init__(self, home: Path, config: Config, port: int) -> None:
        self._home = home
        self._config = config
        self._port = port
        self._school = School(home, config)
        self._lock: FileLock | None = None
        self._web: SpawnProcess | None = None
        self._supervisor = Supervisor(self._school, Spawner(home, config))

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Service:
        """Check database and key, then start the web process.

        Raises:
            AttendanceError: another server runs for this school, or something cannot be opened.
        """
        self._lock = _only_server(self._school.run_dir)
        try:
            _end_left_over(self._card)
            nursery.prepare()
            self._school.registry.students()
            self._start_web()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def step(self) -> None:
        """Keep everything running; called a few times a second."""
        if self._web is not None and not self._web.is_alive():
            log.warning("the web process ended with %s; starting it again", self._web.exitcode)
            self._start_web()
        self._supervisor.step()

    def close(self) -> None:
        """Stop cameras and pages; open sessions stay open and go on at the next start."""
        self._supervisor.close()
        if self._web is not None:
            self._web.terminate()
            self._web.join(WEB_STOPS_WITHIN_S)
            if self._web.is_alive():
                self._web.kill()
        self._card.unlink(missing_ok=True)
        self._school.close()
        if self._lock is not None:
            self._lock.release()

    @property
    def _card(self) -> Path:
        return self._school.run_dir / "server.json"

    def _start_web(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        self._web = context.Process(
            target=web_main,
            args=(self._home, self._config, self._port, theirs),
            name="web",
            daemon=True,
        )
        self._web.start()
        theirs.close()
        self._port = _port_of(ours)
        card = {"owner": process_token(), "web_pid": self._web.pid, "url": self.url}
        self._card.write_text(json.dumps(card), encoding="utf-8")


def running_server(home: Path) -> str | None:
    """The address of the server that runs for this school, None where none does."""
    card = _read_card(home / "run" / "server.json")
    return card["url"] if card and is_alive(card["owner"]) else None


def web_main(home: Path, config: Config, port: int, answer: Connection[Any, Any]) -> None:
    """The entry of the web process."""
    from web.server import serve

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    try:
        serve(home, config, port, answer.send)
    except AttendanceError as error:
        answer.send(str(error))
        sys.exit(1)


def _port_of(answer: Connection[Any, Any]) -> int:
    """What the web process says first: its port, or why it has none."""
    try:
        said = answer.recv() if answer.poll(WEB_STARTS_WITHIN_S) else "it did not start in time"
    except EOFError:
        said = "it ended at once; see the log"
    if not isinstance(said, int):
        raise AttendanceError(f"the web process cannot serve: {said}")
    return said


def _only_server(run_dir: Path) -> FileLock:
    lock = FileLock(run_dir / "server.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        url = running_server(run_dir.parent) or "another process"
        raise AttendanceError(f"this school is already being served at {url}") from None
    return lock


def _end_left_over(card_path: Path) -> None:
    """End the web process of a server that was killed; its port is wanted."""
    card = _read_card(card_path)
    if card is None or is_alive(card["owner"]):
        return
    try:
        process = psutil.Process(card["web_pid"])
        if "multiprocessing" in " ".join(process.cmdline()):
            process.terminate()
            process.wait(WEB_STOPS_WITHIN_S)
    except (psutil.NoSuchProcess, psutil.TimeoutExpired):
        log.info("no web process was left over")


def _read_card(path: Path) -> dict[str, Any] | None:
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return card
