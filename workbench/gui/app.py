"""The application: one window around one workspace, errors that never vanish, and a clean end."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from workbench.errors import WorkbenchError
from workbench.gui.main_window import MainWindow
from workbench.gui.theme import theme
from workbench.gui.workspace import Workspace
from workbench.store.bundled import resources


def start(arguments: Sequence[str]) -> int:
    """Open the window, with what a path leads to; returns the exit code when it is closed."""
    app = QApplication(sys.argv[:1])
    app.setApplicationName("workbench")
    app.setApplicationDisplayName("Workbench")
    app.setDesktopFileName("workbench")
    app.setWindowIcon(QIcon(str(resources() / "icons" / "workbench.svg")))
    theme()
    workspace = Workspace()
    window = MainWindow(workspace)
    catch_errors(window)
    window.show()
    if arguments:
        QTimer.singleShot(0, lambda: workspace.open_path(Path(arguments[0])))
    else:
        QTimer.singleShot(0, window.commands.look_for_cut_off)
    return app.exec()


def catch_errors(window: MainWindow) -> None:
    """Show exceptions that nobody caught, from slots and from threads, instead of losing them on a console."""

    def show(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or issubclass(kind, KeyboardInterrupt):
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(details)
        told = error if isinstance(error, WorkbenchError) else _unexpected(kind, error)
        # The exception may come from any thread; the inbox brings it to the window's own.
        window.workspace.inbox.call(lambda: window.message.tell(told))

    sys.excepthook = show
    threading.excepthook = lambda args: show(args.exc_type, args.exc_value, args.exc_traceback)


def _unexpected(kind: type[BaseException], error: BaseException) -> WorkbenchError:
    return WorkbenchError(
        f"something unexpected happened: {kind.__name__}: {error}",
        mend="Your work is saved. The console holds the details; please report them.",
    )
