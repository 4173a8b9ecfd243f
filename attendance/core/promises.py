"""Work that may be done here and now, or in a thread while frames go on.

The core has no threads. It hands work to a `Submit` and takes up what is ready;
`ThreadPoolExecutor.submit` is one, `at_once` another, under which the same frames always give the
same facts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

MAX_LAG_FRAMES = 3
SLOW_CAMERA_S = 0.1

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Promise(Protocol[T_co]):
    """What `concurrent.futures.Future` is to its reader."""

    def done(self) -> bool:
        """Whether it is ready."""
        ...

    def result(self) -> T_co:
        """What was made; waits for it."""
        ...


class Submit(Protocol):
    """Has work done some time."""

    def __call__(self, work: Callable[[], T], /) -> Promise[T]:
        """Take on some work."""
        ...


@dataclass(frozen=True)
class UnderWay(Generic[T]):
    """Work that was asked for at some frame.

    Attributes:
        frame: the how manieth the pipeline worked on.
    """

    promise: Promise[T]
    frame: int

    def is_due(self, frame: int, *, is_slow: bool) -> bool:
        """Whether to take it up in this frame, waiting for it if it lags behind.

        Frames wait rather than run ahead of what is known of them by more than `MAX_LAG_FRAMES`.
        It is frames that are worked on that count, not seconds: a machine that keeps up with a
        third of a camera's frames would wait for everything in each, and keep up with a tenth.

        Args:
            frame: the how manieth.
            is_slow: whether the camera's next frame is further off than that anyway.
        """
        return is_slow or self.promise.done() or frame - self.frame >= MAX_LAG_FRAMES


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A promise kept from the start."""

    value: T

    def done(self) -> bool:
        """See `Promise.done`."""
        return True

    def result(self) -> T:
        """See `Promise.result`."""
        return self.value


def at_once(work: Callable[[], T], /) -> Promise[T]:
    """Do it while the frame waits.

    >>> at_once(lambda: 2 + 2).result()
    4
    """
    return Kept(work())
