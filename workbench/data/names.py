"""Names that do not exist, and the ones that were probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def meant(name: str, known: Iterable[str], nearness: float = 0.6) -> str:
    """``; did you mean 'age'?``, or nothing where no known name is near (1 is equal)."""
    options = list(known)
    lower = {option.lower().strip(): option for option in options}
    found = difflib.get_close_matches(name.lower().strip(), list(lower), n=1, cutoff=nearness)
    return f"; did you mean {lower[found[0]]!r}?" if found else ""
