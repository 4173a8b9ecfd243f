"""`attendance run`: pages, cameras and registers, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
import webbrowser
from typing import Annotated

import typer

from attendance.cli.context import Context, console


def run(
    context: typer.Context,
    camera: Annotated[
        str | None, typer.Option(help="Offer this camera: webcam number, URL, file or folder.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="On this machine only; 0 takes any.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the pages in a browser.")] = True,
) -> None:
    """Serve this school: the pages, the supervisor and its camera processes."""
    from attendance.service import Service
    from attendance.supervisor import STEP_S

    own: Context = context.obj
    _offer(own, camera or own.config.camera.source)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    screen = console()
    with Service(own.home, own.config, own.config.web.port if port is None else port) as service:
        screen.print(f"Attendance is at [bold]{service.url}[/bold]  (Ctrl-C ends it)")
        screen.print(
            "It does not yet tell a live face from a photo or a phone: stay in the room.",
            style="yellow",
        )
        if browser:
            webbrowser.open(service.url)
        while not stop.wait(STEP_S):
            service.step()
        screen.print("Stopping. Open sessions go on at the next start.")


def _offer(context: Context, source: str) -> None:
    """Make sure the camera can be chosen on the start page."""
    from attendance.source import parse_source

    parse_source(source)
    with context.school() as school:
        school.sessions.camera(source)
