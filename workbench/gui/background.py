"""Work that would hold up the window: done in a thread, its result handed back in the window's own."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any

from workbench.errors import WorkbenchError
from workbench.gui.inbox import Inbox

Report = Callable[[str, int, int], None]
"""``report(stage, done, total)``, from within the work."""


class Cancelled(Exception):
    """Raised in the work by its next report once nobody wants the result any more."""


class Background:
    """Starts work in threads. Of one ``topic`` only the latest result counts: what is older is cancelled.

    Args:
        inbox: brings results back.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._latest: dict[str, int] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False

    def start(
        self,
        topic: str,
        work: Callable[[Report], Any],
        done: Callable[[Any], None],
        failed: Callable[[WorkbenchError], None],
        progress: Report | None = None,
    ) -> None:
        """Do something in a thread.

        Args:
            topic: what it is about.
            work: what to do; is given a function to report how far it is.
            done: called in the window's thread with what ``work`` returned.
            failed: called in the window's thread with the error, whatever it was.
            progress: called in the window's thread with what ``work`` reports.
        """
        number = self._latest.get(topic, 0) + 1
        self._latest[topic] = number

        def current() -> bool:
            return not self._closed and self._latest.get(topic) == number

        def hand_over(call: Callable[..., None], *values: Any) -> None:
            self._inbox.call(lambda: call(*values) if current() else None)

        def report(stage: str, finished: int, total: int) -> None:
            if not current():
                raise Cancelled
            if progress is not None:
                hand_over(progress, stage, finished, total)

        def run() -> None:
            try:
                result = work(report)
            except Cancelled:
                return
            except WorkbenchError as error:
                hand_over(failed, error)
            except Exception as error:
                traceback.print_exc()
                hand_over(failed, _unexpected(error))
            else:
                hand_over(done, result)

        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=run, name=f"import-{topic}-{number}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def cancel(self, topic: str) -> None:
        """Let nobody hear of a topic's work any more."""
        self._latest[topic] = self._latest.get(topic, 0) + 1

    def close(self, seconds: float = 5.0) -> None:
        """Cancel everything and wait for the threads."""
        self._closed = True
        for thread in self._threads:
            thread.join(seconds)


def _unexpected(error: Exception) -> WorkbenchError:
    return WorkbenchError(
        f"something unexpected happened: {type(error).__name__}: {error}", mend="Nothing was lost; please report it."
    )
