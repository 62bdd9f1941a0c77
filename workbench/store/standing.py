"""How a run stands, told by its folder alone: for runs that were made elsewhere than in a project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workbench.events import RunEnded
from workbench.store.lock import holder_of
from workbench.store.run_folder import RunFolder

RunStatus = Literal["running", "finished", "early_stopping", "stopped", "diverged", "failed", "interrupted"]


@dataclass(frozen=True)
class Standing:
    """How a run stands.

    Attributes:
        created: when it began, seconds since 1970.
        status: ``running`` where another process trains it now, ``interrupted`` where its log has no end.
        message: why it failed, where it did.
        figures: what it came to, ``RunEnded.summary``; empty before.
    """

    created: float
    status: RunStatus
    message: str
    figures: dict[str, Any]


def standing_of(folder: Path) -> Standing:
    """How the run in a folder stands. Nothing in it is changed.

    Raises:
        InputError: there is no run there.
        StoreError: it is damaged.
    """
    with RunFolder.open(folder) as run:
        first, last = run.event_at("first"), run.event_at("last")
    created = first.time if first else (folder / "recipe.toml").stat().st_mtime
    if holder_of(folder):
        return Standing(created, "running", "", {})
    if isinstance(last, RunEnded):
        return Standing(created, last.reason, last.message, last.summary)
    return Standing(created, "interrupted", "", {})
