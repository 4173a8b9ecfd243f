"""An iterator that is worked off in a thread of its own, a few items ahead of its reader."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
AHEAD = 3
ASK_AGAIN_S = 0.1


class ReadAhead(Generic[T]):
    """Yields the same items in the same order; what the source raises, it raises.

    Args:
        source: owned by the thread from `__enter__` on.
        size: items that may wait.
    """

    def __init__(self, source: Iterable[T], size: int = AHEAD) -> None:
        self._source = source
        self._waiting: Queue[T] = Queue(size)
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="read-ahead", daemon=True)

    def __enter__(self) -> ReadAhead[T]:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        while True:
            is_finished = not self._thread.is_alive()
            try:
                item = self._waiting.get(timeout=ASK_AGAIN_S)
            except Empty:
                if is_finished:
                    break
                continue
            yield item
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            for item in self._source:
                if not self._put(item):
                    return
        except Exception as error:  # handed over to the reader
            self._error = error

    def _put(self, item: T) -> bool:
        while not self._stop.is_set():
            try:
                self._waiting.put(item, timeout=ASK_AGAIN_S)
            except Full:
                continue
            return True
        return False
