"""What the window remembers from one start to the next: recent projects, theme, device. A small JSON file."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.errors import StoreError
from workbench.store.files import make_folder, write_file

_MOST_RECENT = 12


class Settings:
    """Values by name; a damaged or missing file counts as empty, and one that cannot be written is passed over."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or _folder() / "settings.json"
        self._values: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            found = json.loads(self._file.read_text(encoding="utf-8"))
            self._values = found if isinstance(found, dict) else {}

    def get(self, name: str, default: Any) -> Any:
        """A value; the default where there is none of its type."""
        value = self._values.get(name, default)
        return value if default is None or isinstance(value, type(default)) else default

    def set(self, name: str, value: Any) -> None:
        """Remember a value."""
        if self._values.get(name) == value:
            return
        self._values[name] = value
        with suppress(StoreError):
            make_folder(self._file.parent)
            write_file(self._file, json.dumps(self._values, indent=1).encode())

    def recent(self) -> list[Path]:
        """Projects opened before that are still there, the latest first."""
        listed = [Path(entry) for entry in self.get("recent", []) if isinstance(entry, str)]
        return [path for path in listed if path.is_dir()]

    def add_recent(self, project: Path) -> None:
        """Put a project at the head of the list."""
        others = [str(path) for path in self.recent() if path != project]
        self.set("recent", [str(project), *others][:_MOST_RECENT])

    def forget_recent(self, project: Path) -> None:
        """Take a project off the list."""
        self.set("recent", [str(path) for path in self.recent() if path != project])


def projects_home() -> Path:
    """Where projects are made unless the user says otherwise: ``$WORKBENCH_HOME``, or ``Workbench`` at home."""
    named = os.environ.get("WORKBENCH_HOME")
    return Path(named).expanduser() if named else Path.home() / "Workbench"


def _folder() -> Path:
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        named = os.environ.get("XDG_CONFIG_HOME", "")
        base = Path(named) if os.path.isabs(named) else Path.home() / ".config"
    return base / "workbench"
