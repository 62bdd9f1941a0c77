"""One example cut up for several threads: each does a piece of what can be cut, and one of them all of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from workbench.engine.backend import Call
from workbench.engine.layer import unchained
from workbench.engine.task import Owned, Owner


def cut_up(sequence: Sequence[Owned], threads: int, wait: Callable[[], Call]) -> list[list[Owned]] | None:
    """Each thread's calls.

    Args:
        sequence: all calls in order.
        threads: how many there are.
        wait: makes a call that returns when all threads have come to theirs.

    Returns:
        None where nothing can be cut, or some call is no machine code.
    """
    calls: list[tuple[Owner, Any]] = [(owner, call) for owner, chain in sequence for call in unchained([chain])]
    if not all(hasattr(call, "pieces") for _, call in calls) or not any(call.pieces for _, call in calls):
        return None
    found: list[list[Owned]] = [[] for _ in range(threads)]
    alone = True
    for owner, pieces in _stages(calls, threads):
        if not (alone and len(pieces) == 1) and any(found):
            waiting = wait()
            for calls_of_one in found:
                calls_of_one.append((Owner("", "waiting"), waiting))
        for calls_of_one, piece in zip(found, pieces, strict=False):
            calls_of_one.append((owner, piece))
        alone = len(pieces) == 1
    return found


def _stages(calls: Sequence[tuple[Owner, Any]], threads: int) -> Iterator[tuple[Owner, list[Call]]]:
    """What is done at a time: a piece for each thread, or a whole call for one of them."""
    for owner, call in calls:
        for stage in call.pieces(threads) if call.pieces else [[call]]:
            yield owner, stage
