"""What can be asked of a running training. Requests are honored at the next batch boundary.

running ──pause()──> pausing ──(saved)──> paused ──resume()──> running
   └────────────── stop() from any of them ──────────────> stopping ──(saved)──> ended
"""

from __future__ import annotations

import threading


class Control:
    """Requests from another thread. All methods return at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pause = False
        self._stop = False
        self._learning_rate: float | None = None
        self._pending = False

    def pause(self) -> None:
        """Wait after the current batch."""
        self._set(pause=True)

    def resume(self) -> None:
        """Go on after a pause."""
        self._set(pause=False)

    def stop(self) -> None:
        """End after the current batch, with a checkpoint."""
        self._set(stop=True)

    def set_learning_rate(self, rate: float) -> None:
        """Use another base learning rate (alpha0 of the schedule) from the next batch on."""
        with self._changed:
            self._learning_rate = rate
            self._pending = True
            self._changed.notify_all()

    def _set(self, pause: bool | None = None, stop: bool | None = None) -> None:
        with self._changed:
            self._pause = self._pause if pause is None else pause
            self._stop = self._stop if stop is None else stop
            self._pending = True
            self._changed.notify_all()

    @property
    def pending(self) -> bool:
        """Whether anything was asked for since it was last looked at; cheap enough for every batch."""
        return self._pending

    def look(self) -> tuple[bool, bool, float | None]:
        """Whether to stop, whether to pause, and a new learning rate or None; the rate is handed out once."""
        with self._changed:
            rate, self._learning_rate = self._learning_rate, None
            self._pending = self._pause or self._stop
            return self._stop, self._pause, rate

    def wait_while_paused(self) -> None:
        """Return when the pause ends, a stop is asked for, or the learning rate shall change."""
        with self._changed:
            self._changed.wait_for(lambda: not self._pause or self._stop or self._learning_rate is not None)
