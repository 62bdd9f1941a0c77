"""What threads tell each other without Python: a box of numbers for each (see ``workbench.engine.kernels.team``)."""

from __future__ import annotations

from typing import Any

import numpy as np

Boxes = np.ndarray[Any, np.dtype[np.int64]]

BOX = 32
"""Numbers of a box: four lines of the cache, so that no two threads share one."""

STANDS, FINISHED, POSTED, TAKEN, GIVEN = 8, 9, 10, 11, 16
"""Places in a box: how the thread stands, how many tables of kernels it has finished, how many tasks Python has sent it
and how many it has taken, and the tables that it is given: the address and the length of each of three."""


def new_boxes(count: int) -> Boxes:
    """Empty ones, ``(count, BOX)``."""
    return np.zeros((count, BOX), np.int64)
