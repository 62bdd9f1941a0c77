"""A run that a device cannot bear: what is said of it, and which change of the recipe would help."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workbench.engine.backend import Backend
from workbench.session.prepare import Prepared

_SAVED = "The finished epochs are saved."


@dataclass(frozen=True)
class Failure:
    """What ended a run.

    Attributes:
        text: what happened, what is safe and what to do.
        patch: the change of the recipe that is proposed, by path; empty where none helps for sure.
    """

    text: str
    patch: dict[str, Any] = field(default_factory=dict)


def failure_of(error: BaseException, prepared: Prepared) -> Failure | None:
    """What to say of an error of the device; None for errors that are not its."""
    backend = prepared.backend
    if backend.is_out_of_memory(error):
        return _out_of_memory(prepared)
    told = backend.failure_text(error)
    if not told:
        return None
    mend = "Resume the run to go on; where it happens again, --device cpu trains without the GPU."
    return Failure(f"The {_named(backend)} failed: {told.rstrip('.')}. {_SAVED} {mend}")


def smaller_batch(prepared: Prepared) -> int | None:
    """Half of the batch that is really computed, which a small training set may limit; None for a single example."""
    used = min(prepared.recipe.training.batch_size, len(prepared.dataset.sets["train"]))
    return used // 2 if used > 1 else None


def _out_of_memory(prepared: Prepared) -> Failure:
    what = f"Memory ran out on the {_named(prepared.backend)}. {_SAVED}"
    half = smaller_batch(prepared)
    if half is None:
        return Failure(f"{what} A batch is a single example already: make the network or its input smaller.")
    path = "training.batch_size"
    return Failure(f"{what} Try {path} = {half}.", {path: half})


def _named(backend: Backend) -> str:
    return backend.describe() if backend.on_host else f"GPU ({backend.describe()})"
