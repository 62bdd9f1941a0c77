"""What the command line prints: figures on stdout, everything else on stderr, a bar with an ETA on a terminal."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from typing import IO, Any


def say(text: str) -> None:
    """A message for the user."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def put(text: str) -> None:
    """A result for the user."""
    print(text, flush=True)  # noqa: T201


def put_bytes(data: bytes) -> None:
    """A result that is a file: on stdout as it is, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def put_json(tree: Any) -> None:
    """One JSON object on stdout; what is no finite number becomes null."""
    put(json.dumps(_finite(tree), ensure_ascii=False, indent=1))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def percent(value: float | None) -> str:
    """An error as per cent: ``3.5 %``."""
    return "-" if value is None or not math.isfinite(value) else f"{100 * value:.2f} %"


def duration(seconds: float) -> str:
    """``48 s``, ``3 min 52 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Bar:
    """A progress bar on a terminal; elsewhere a line now and then.

    Args:
        out: where to draw.
    """

    _WIDTH = 24
    _AFTER = 1.0
    _EVERY = 0.1
    _LINE_EVERY = 5.0

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        # What is done within a second needs no bar.
        self._last = time.monotonic() + self._AFTER - (self._EVERY if self._live else self._LINE_EVERY)
        self._drawn = False

    def show(self, share: float, text: str, *, always: bool = False) -> None:
        """Draw the bar at a share of 0 to 1, at most ten times a second."""
        now = time.monotonic()
        if not always and now - self._last < (self._EVERY if self._live else self._LINE_EVERY):
            return
        self._last = now
        if self._live:
            filled = round(self._WIDTH * min(1.0, max(0.0, share)))
            line = f"{'█' * filled}{'░' * (self._WIDTH - filled)} {share:4.0%}  {text}"
            columns = shutil.get_terminal_size().columns
            self._out.write("\r" + line[: columns - 1].ljust(columns - 1))
            self._drawn = True
        else:
            self._out.write(f"{share:4.0%}  {text}\n")
        self._out.flush()

    def clear(self) -> None:
        """Remove the bar, so that a message can be printed."""
        if self._drawn:
            self._out.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
            self._out.flush()
            self._drawn = False


def table(rows: list[list[str]], right: set[int]) -> str:
    """Rows as aligned columns, those in ``right`` to the right; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
