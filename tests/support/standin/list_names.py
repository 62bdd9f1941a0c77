"""Write down what CuPy's functions and methods are called with: ``python list_names.py > names.json``.

Run it where CuPy is installed; it needs no GPU. The stand-in (``module.py``) has what stands there and nothing else.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from typing import Any

import numpy as np

_UFUNC_OPTIONS = ["out", "casting", "dtype"]


def names() -> dict[str, Any]:
    """Functions and methods with their arguments, keyword-only ones with a star; ufuncs with their options."""
    import cupy

    functions, ufuncs = {}, []
    for name in sorted(dir(cupy)):
        found = getattr(cupy, name)
        if name.startswith("_") or not hasattr(np, name) or inspect.isclass(found):
            continue
        if type(found).__name__ == "ufunc":
            ufuncs.append(name)
        elif callable(found) and (listed := _arguments(found)) is not None:
            functions[name] = listed
    methods = {}
    for name in sorted(dir(cupy.ndarray)):
        found = re.search(rf"\.{name}\(self(.*?)\)( ->|$)", getattr(cupy.ndarray, name).__doc__ or "", re.MULTILINE)
        if not name.startswith("_") and found and hasattr(np.ndarray, name):
            # Compiled code writes a type before some of the names.
            listed = [re.split("[=:]", part)[0].split() for part in found[1].split(",")]
            methods[name] = [words[-1] for words in listed if words and words[-1] not in ("/", "*")]
    return {"cupy": cupy.__version__, "functions": functions, "ufuncs": ufuncs, "ufunc options": _UFUNC_OPTIONS,
            "methods": methods}  # fmt: skip


def _arguments(function: Any) -> list[str] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    stars = {inspect.Parameter.KEYWORD_ONLY: "*", inspect.Parameter.VAR_POSITIONAL: "**"}
    return [stars.get(one.kind, "") + one.name for one in parameters]


if __name__ == "__main__":
    # A name a line.
    sys.stdout.write(re.sub(r"\n {3,}|\n  (?=\])", "", json.dumps(names(), indent=1)) + "\n")
