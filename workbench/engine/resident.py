"""How much memory this process has taken, from what the system says of it."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from functools import cache
from pathlib import Path

_STATUS, _REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
HUGE_PAGE, LARGE_ARRAY = 2**21, 2**22


def taken_by(address: int, size: int, used: int) -> int:
    """Bytes of memory that the first ``used`` bytes of an array of ``size`` bytes take.

    NumPy asks for huge pages for its large arrays: writing to one of their bytes takes all of it.
    """
    if not _huge_pages():
        return used
    if size < LARGE_ARRAY:
        # Cut from a slab together with others (see CompiledBackend.empty), which are written to.
        return size
    first = -(-address // HUGE_PAGE) * HUGE_PAGE
    end = address + used
    if end <= first:
        return used
    return min(address + size, -(-end // HUGE_PAGE) * HUGE_PAGE) - address


@cache
def _huge_pages() -> bool:
    try:
        return "[never]" not in _HUGE_PAGES.read_text()
    except OSError:
        return False


class MemoryMeter:
    """Measures by how much the memory of this process grows, at its peak, in stretches of time.

    Memory is counted once it is written to. On Linux the peak can be forgotten, so that each stretch has its own;
    elsewhere only what grows beyond all that was before is seen.
    """

    def __init__(self) -> None:
        self._grown = 0
        self._base: int | None = None

    def start(self) -> None:
        """A stretch begins."""
        give_back()
        self._base = _forget_peak()

    def stop(self) -> None:
        """A stretch ends."""
        peak = _peak()
        if self._base is not None and peak is not None:
            self._grown += max(0, peak - self._base)
        self._base = None

    def pause_kept(self) -> None:
        """A stretch ends, and only what it leaves behind counts, not its peak."""
        give_back()
        now = _of_status("VmRSS")
        if now is None:
            self.stop()
        elif self._base is not None:
            self._grown += max(0, now - self._base)
        self._base = None

    def grown(self) -> int | None:
        """Bytes by which all stretches together have grown; None where the system does not tell."""
        return self._grown if _peak() is not None else None


def give_back() -> None:
    """Hand memory that was freed back to the system.

    The C library keeps arrays of up to 32 MB that were freed, and the next one may be a little too large for the gap.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> int | None:
    """The memory now, in bytes, from which a new peak is counted; where that cannot be, the peak so far."""
    try:
        _REFERENCES.write_text("5")
    except OSError:
        return _peak()
    return _of_status("VmRSS")


def _peak() -> int | None:
    peak = _of_status("VmHWM")
    if peak is not None or sys.platform == "win32":
        return peak
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(size if sys.platform == "darwin" else size * 1024)


def _of_status(field: str) -> int | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{field}:")]
    return int(found[0]) * 1024 if found else None
