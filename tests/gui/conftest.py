"""What every test of the window gets: no display needed, the light theme, and no timer left behind."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from workbench.gui.workspace import Workspace

# Before Qt is loaded: a test must not need a display, nor show windows on one.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

_NOT_OURS = [
    "This plugin does not support",  # the offscreen platform, on window sizes and grabbing
    "^QFont::setPointSize",  # pyqtgraph, on fonts that are given in pixels
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/gui" in item.path.as_posix():
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            item.add_marker(pytest.mark.qt_log_ignore(*_NOT_OURS, extend=True))


@pytest.fixture(autouse=True)
def _light(request: pytest.FixtureRequest) -> None:
    """Every test begins in the light theme."""
    if "qtbot" in request.fixturenames:
        request.getfixturevalue("qapp")
        from workbench.gui.theme import theme

        theme().set_mode("light")


@pytest.fixture(autouse=True)
def _unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots make all their lines in one turn: how many fit into a few milliseconds depends on what else runs here."""
    if "qtbot" in request.fixturenames:
        from workbench.gui.plots import live_plot

        monkeypatch.setattr(live_plot, "BUDGET_SECONDS", float("inf"))


@pytest.fixture
def workspace(qapp: object) -> Iterator[Workspace]:
    """Everything behind the window, with runs that compute in a thread of this process; a home of its own."""
    from workbench.gui.workspace import Workspace

    made = Workspace()
    made.runs.spawn, made.runs.threads = False, 1
    yield made
    made.shut_down()
    made.deleteLater()


@pytest.fixture(autouse=True, scope="module")
def _no_timer_left(qapp: object) -> Iterator[None]:
    """No timer ticks on after a module's tests. Looking through all objects takes too long for every single one."""
    yield
    ticking = _running_timers()
    assert not ticking, f"timers left running: {ticking}"


def _running_timers() -> list[str]:
    """Timers made from Python that tick, with what they belong to."""
    from PySide6.QtCore import QCoreApplication, QEvent, QTimer
    from shiboken6 import isValid

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    found = [one for one in gc.get_objects() if issubclass(type(one), QTimer) and isValid(one)]
    return [f"{one.parent()!r}, every {one.interval()} ms" for one in found if one.isActive()]
