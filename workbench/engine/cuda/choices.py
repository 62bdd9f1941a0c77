"""What trials on a device found, kept on disk, so that a run is computed in the same way when it goes on."""

from __future__ import annotations

import contextlib
import json
import os

from workbench.engine.folders import user_cache


class Choices:
    """Words by key. Where the file cannot be read or written, they last as long as the program.

    Args:
        name: of the file, in the user's cache.
    """

    def __init__(self, name: str) -> None:
        self._path = user_cache() / name
        self._found: dict[str, str] = {}
        self._passing: set[str] = set()
        with contextlib.suppress(OSError, ValueError):
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            self._found = {str(key): str(value) for key, value in kept.items()} if isinstance(kept, dict) else {}

    def get(self, key: str) -> str | None:
        """What was found before."""
        return self._found.get(key)

    def put(self, key: str, value: str, keep: bool = True) -> None:
        """Remember it; on disk where it is to be kept."""
        self._found[key] = value
        if not keep:
            self._passing.add(key)
            return
        kept = {key: value for key, value in self._found.items() if key not in self._passing}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside = self._path.with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps(kept, indent=0, sort_keys=True), encoding="utf-8")
            beside.replace(self._path)
