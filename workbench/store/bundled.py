"""Where the bundled files lie: inside an installed package, or beside it in the source tree."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from workbench.errors import StoreError


@cache
def resources() -> Path:
    """The folder of fonts, icons and samples.

    Raises:
        StoreError: it is in neither place; the installation is broken.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_resources", package.parent / "resources"):
        if folder.is_dir():
            return folder
    raise StoreError("the bundled files are missing", where=str(package), mend="Install the package again.")
