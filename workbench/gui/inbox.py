"""Where worker threads leave what they have to say, and the timer that fetches it: up to 30 times a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from queue import Empty, SimpleQueue

from PySide6.QtCore import QObject, QTimer

from workbench.events import Event

INTERVAL_MS = 33
_BUDGET_SECONDS = 0.008
"""The longest that one fetch may take: the rest waits for the next one, so that the window stays live."""


class Channel:
    """One run's way into the inbox. ``put`` may be called from any thread; after ``close`` nothing gets through."""

    def __init__(self, queue: SimpleQueue[tuple[Channel, Event]], handler: Callable[[list[Event]], None]) -> None:
        self._queue, self.handler = queue, handler
        self.open = True

    def put(self, event: Event) -> None:
        """Leave an event."""
        self._queue.put((self, event))

    def close(self) -> None:
        """Drop what is still to come."""
        self.open = False


class Inbox(QObject):
    """Fetches what threads have left, in the window's own thread, many events at a time."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._events: SimpleQueue[tuple[Channel, Event]] = SimpleQueue()
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.fetch)
        self._timer.start()

    def channel(self, handler: Callable[[list[Event]], None]) -> Channel:
        """A way in for one run.

        Args:
            handler: is given the run's new events, in order, in the window's thread.
        """
        return Channel(self._events, handler)

    def call(self, what: Callable[[], None]) -> None:
        """Have something done in the window's thread. May be called from any thread."""
        self._calls.put(what)

    def fetch(self) -> None:
        """Hand over what has come, as much as there is time for."""
        end = time.perf_counter() + _BUDGET_SECONDS
        self.fetch_events(end)
        while time.perf_counter() < end:
            try:
                call = self._calls.get_nowait()
            except Empty:
                break
            call()

    def fetch_events(self, end: float = inf) -> None:
        """Hand over the events of runs, until a moment on the clock of ``time.perf_counter``."""
        batches: dict[Channel, list[Event]] = {}
        while time.perf_counter() < end:
            try:
                channel, event = self._events.get_nowait()
            except Empty:
                break
            if channel.open:
                batches.setdefault(channel, []).append(event)
        for channel, events in batches.items():
            channel.handler(events)

    def stop(self) -> None:
        """Fetch no more."""
        self._timer.stop()
