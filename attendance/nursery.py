"""Where camera processes come from: quickly, out of a process that has imported all they need.

Imports are most of what a start costs. On Linux one process makes them once and every camera
process is forked from it; it opens no database, no model and no camera, so there is nothing a
fork could share by mistake. Elsewhere (macOS forbids forks after its frameworks are loaded,
Windows has none) each camera process imports for itself. Imports nothing but the standard
library, so that it can be called before anything else is there.
"""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing.context import BaseContext

NEEDED = ("attendance.__main__", "attendance.camera", "attendance.vision.loading")


def context() -> BaseContext:
    """What camera processes are started with: their interpreter knows nothing of ours."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(list(NEEDED))
    return forking


def early_context() -> BaseContext:
    """What one camera process may be started with while nothing is open here.

    Forked from us on Linux, it has what we have imported: neither of us imports it twice.
    """
    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


def prepare() -> None:
    """Begin to import what a camera process needs, in the background; at once if that is done."""
    if context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()
