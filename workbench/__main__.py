"""``workbench`` and ``python -m workbench``: a verb goes to the command line, anything else opens the window."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit code."""
    # A frozen app starts its compute processes by starting itself: this must come before anything heavy is imported.
    multiprocessing.freeze_support()
    given = list(sys.argv[1:] if arguments is None else arguments)

    from workbench.cli.main import is_command, run

    return run(given) if is_command(given) else _open_window(given)


def _open_window(given: list[str]) -> int:
    from workbench.cli.console import say
    from workbench.cli.window import refusal, why_no_window

    reason = why_no_window()
    if not reason:
        try:
            from workbench.gui.app import start
        except ImportError as error:
            reason = f"Qt cannot be loaded ({error})"
        else:
            return start(given)
    say(refusal(reason))
    return 2


if __name__ == "__main__":
    sys.exit(main())
