"""The whole window on the real engine: from a drop to a verdict and a report, by keys, and after an accident."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from shots import settle
from support.small_runs import SPLIT, write_table

from workbench.engine.compiled_backend import CompiledBackend
from workbench.errors import InputError
from workbench.gui.actions import DEEDS, STEPS
from workbench.gui.figures import grouped
from workbench.gui.help import Glossary
from workbench.gui.main_window import MainWindow
from workbench.gui.recovery import CutOff
from workbench.gui.theme import theme
from workbench.gui.workspace import Workspace
from workbench.session.samples import samples
from workbench.store.project import Project

LONG = 20_000


@pytest.fixture
def window(workspace: Workspace, qtbot: Any) -> Iterator[MainWindow]:
    """The window around a workspace whose runs compute in this process."""
    made = MainWindow(workspace)
    made.resize(1280, 800)
    made.show()
    settle()
    yield made
    made.close()
    made.deleteLater()
    settle()


def drag(paths: list[Path]) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def hover(window: MainWindow, paths: list[Path]) -> None:
    """Drag files over the window."""
    # An event does not own what is dragged: it must live as long as the event.
    mime, copy, none = drag(paths), Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    window.dragEnterEvent(QDragEnterEvent(QPoint(300, 300), copy, mime, Qt.MouseButton.LeftButton, none))


def drop(window: MainWindow, paths: list[Path]) -> None:
    """Drag files over the window and drop them."""
    hover(window, paths)
    mime, copy, none = drag(paths), Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(300, 300), copy, mime, Qt.MouseButton.LeftButton, none))


def with_data(window: MainWindow, qtbot: Any, path: Path) -> None:
    """Drop a table and wait until a short training of it could start."""
    with qtbot.waitSignal(window.workspace.data.proposed, timeout=LONG):
        drop(window, [path])
    short = {"training.epochs": 3, "training.batch_size": 32, "training.early_stopping": None, "data.split": SPLIT}
    window.workspace.document.set_many(short, "short")
    qtbot.waitUntil(lambda: window.workspace.data.up_to_date, timeout=LONG)


def trained(window: MainWindow, qtbot: Any) -> int:
    """Press F5 and wait for the verdict."""
    with qtbot.waitSignal(window.workspace.runs.resultReady, timeout=LONG):
        window.actions_by_key["train"].trigger()
    return window.workspace.runs.current


def test_that_the_first_launch_shows_where_to_drop_and_no_bars_that_say_nothing(window):
    assert window.pages.currentWidget() is window.page("start")
    assert window.bottom.isHidden()
    assert window.message.isHidden()
    assert window.windowTitle() == "Workbench"


def test_that_a_drag_tells_what_dropping_will_do_and_a_refusal_why_not(window, tmp_path):
    table, other = write_table(tmp_path), tmp_path / "movie.mp4"
    other.write_bytes(b"0000")
    hover(window, [table])
    assert window._sheet.isVisible()
    assert "table.csv" in window._sheet.text()
    window.dragLeaveEvent(QDragLeaveEvent())
    assert not window._sheet.isVisible()
    hover(window, [other])
    assert ".mp4" in window._sheet.text()
    drop(window, [other])
    assert window.workspace.project is None


def test_the_whole_path_from_a_drop_to_a_verdict_and_a_report(window, qtbot, tmp_path):
    with_data(window, qtbot, write_table(tmp_path))
    assert window.pages.currentWidget() is window.page("data")
    window.actions_by_key["step_network"].trigger()
    assert window.pages.currentWidget() is window.page("network")
    number = trained(window, qtbot)
    assert window.step == "train"
    assert window.workspace.runs.result(number) is not None
    assert "table" in window.windowTitle()
    for step in ("diagnose", "export"):
        window.show_step(step)
        settle()
        assert window.pages.currentWidget() is window.page(step)


def test_that_the_bottom_bar_says_that_kernels_are_being_compiled(window, qtbot, tmp_path, monkeypatch):
    ready = threading.Event()

    def prepare(self: CompiledBackend) -> Iterator[tuple[int, int]]:
        yield 0, 2
        ready.wait(20)
        yield 2, 2

    monkeypatch.setattr(CompiledBackend, "prepare", prepare)
    with_data(window, qtbot, write_table(tmp_path))
    window.actions_by_key["train"].trigger()
    try:
        text = "Compiling for this machine (first run only)…"
        qtbot.waitUntil(lambda: window.status.where.text() == text, timeout=LONG)
    finally:
        ready.set()
    qtbot.waitUntil(lambda: not window.workspace.runs.busy(), timeout=LONG)


def test_that_the_bottom_bar_tells_progress_and_always_shows_stop(window, qtbot, tmp_path):
    window.resize(1024, 640)
    with_data(window, qtbot, write_table(tmp_path))
    window.workspace.document.set("training.epochs", 20000, "long")
    window.actions_by_key["train"].trigger()
    qtbot.waitUntil(lambda: f"of {grouped(20_000)}" in window.status.where.text(), timeout=LONG)
    for step in STEPS:
        window.show_step(step)
        settle()
        right = window.status.stop.mapTo(window, window.status.stop.rect().topRight()).x()
        assert window.status.stop.isVisible()
        assert right < window.width()
    window.actions_by_key["pause"].trigger()
    qtbot.waitUntil(lambda: window.status.pause.text() == "Go on", timeout=LONG)
    window.actions_by_key["pause"].trigger()
    window.actions_by_key["stop"].trigger()
    qtbot.waitUntil(lambda: not window.workspace.runs.busy(), timeout=LONG)
    assert window.workspace.runs.entry(1).status == "stopped"


def test_that_an_import_asks_before_it_stops_a_run(window, qtbot, tmp_path):
    with_data(window, qtbot, write_table(tmp_path))
    window.workspace.document.set("training.epochs", 20000, "long")
    number = window.workspace.train()
    qtbot.waitUntil(lambda: bool(window.workspace.runs.curves(number).epochs), timeout=LONG)
    other, project = write_table(tmp_path, name="other.csv"), window.workspace.project
    drop(window, [other])
    assert "still training" in window.message.text()
    assert window.workspace.runs.is_live(number)
    with qtbot.waitSignal(window.workspace.data.proposed, timeout=LONG):
        window.message.actionClicked.emit()
    assert window.workspace.project is not project
    assert not window.workspace.runs.busy()
    assert window.message.isHidden()
    with Project.open(project.path) as before:
        assert before.run(number).status in ("stopped", "interrupted")


def test_that_an_error_stands_above_the_page_until_it_is_put_away(window, qtbot, tmp_path):
    with_data(window, qtbot, write_table(tmp_path))
    window.show_error(InputError("has no rows", where="empty.csv", mend="Export it again."))
    assert "empty.csv: has no rows" in window.message.text()
    assert "Export it again." in window.message.text()
    window.message.closed.emit()
    window.message.put_away()
    assert window.message.isHidden()


def test_that_the_palette_finds_commands_runs_samples_and_terms(window, qtbot, tmp_path):
    with_data(window, qtbot, write_table(tmp_path))
    trained(window, qtbot)
    choices = {choice.key for choice in window.palette_popup._choices()}
    assert {"train", "run 1", f"sample {samples()[0].name}", "term bias"} <= choices
    window.palette_popup._do("step_network")
    assert window.step == "network"
    window.palette_popup._do("run 1")
    assert window.step == "train"


def test_that_every_deed_does_something(window):
    slots = window.commands.slots()
    assert {deed.key for deed in DEEDS} == set(slots)


def test_that_no_two_deeds_share_a_key():
    keys = [key for deed in DEEDS for key in deed.keys]
    assert len(keys) == len(set(keys))


def test_that_the_theme_is_remembered(window):
    window.actions_by_key["dark"].trigger()
    assert theme().tokens.dark
    assert window.workspace.settings.get("theme", "") == "dark"
    assert window.actions_by_key["dark"].isChecked()
    assert not window.actions_by_key["light"].isChecked()


def test_that_a_gpu_that_is_not_there_is_said_at_the_top(window, qtbot):
    window.actions_by_key["device_cuda"].trigger()
    qtbot.waitUntil(lambda: "CPU" in window.top.device.text(), timeout=LONG)
    assert window.workspace.runs.device == "cuda"


@pytest.mark.parametrize("step", STEPS)
def test_that_every_step_of_an_empty_project_opens_in_the_smallest_window(window, step):
    window.resize(1024, 640)
    window.show_step(step)
    settle()
    page = window.pages.currentWidget()
    assert page.minimumSizeHint().width() <= 1024
    assert page.minimumSizeHint().height() <= 640 - 48


@pytest.mark.parametrize("step", STEPS)
def test_that_every_step_fits_the_smallest_window_with_a_finished_run(window, qtbot, tmp_path, step):
    with_data(window, qtbot, write_table(tmp_path))
    trained(window, qtbot)
    window.resize(1024, 640)
    window.show_step(step)
    settle()
    page = window.pages.currentWidget()
    assert (window.width(), window.height()) == (1024, 640)
    assert page.minimumSizeHint().width() <= 1024
    assert page.minimumSizeHint().height() <= 640 - 48 - 44


@pytest.mark.parametrize("step", STEPS)
def test_that_whatever_takes_the_focus_has_a_name_for_screen_readers(window, qtbot, tmp_path, step):
    with_data(window, qtbot, write_table(tmp_path))
    trained(window, qtbot)
    window.show_step(step)
    settle()
    nameless = [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for widget in window.pages.currentWidget().findChildren(QWidget)
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not _name(widget)
    ]
    assert not nameless


def _name(widget: QWidget) -> str:
    text = getattr(widget, "text", None)
    return widget.accessibleName() or (str(text()) if callable(text) else "") or _through_proxy(widget)


def _through_proxy(widget: QWidget) -> str:
    proxy = widget.focusProxy()
    return _name(proxy) if proxy is not None else ""


def test_that_a_run_that_was_cut_off_is_offered_and_goes_on(window, qtbot, tmp_path):
    workspace = window.workspace
    with_data(window, qtbot, write_table(tmp_path))
    workspace.document.set("training.epochs", 20000, "long")
    number = workspace.train()
    qtbot.waitUntil(lambda: len(workspace.runs.curves(number).epochs) > 2, timeout=LONG)
    path = workspace.project.path
    # Closing the project stops the run; its list then says that it was cut off, as after a crash.
    workspace.new_project()
    with Project.open(path) as project:
        project.note(number, "interrupted")
    window.commands.look_for_cut_off()
    qtbot.waitUntil(lambda: "cut off" in window.message.text(), timeout=LONG)
    window.message.actionClicked.emit()
    qtbot.waitUntil(lambda: workspace.runs.is_live(number), timeout=LONG)
    done = len(workspace.runs.curves(number).epochs)
    qtbot.waitUntil(lambda: len(workspace.runs.curves(number).epochs) > done, timeout=LONG)
    assert window.step == "train"
    workspace.runs.stop(number)
    qtbot.waitUntil(lambda: not workspace.runs.busy(), timeout=LONG)


def test_that_an_offer_for_a_project_that_is_gone_says_so(window, qtbot, tmp_path):
    window.show_step("network")
    window.commands._resume(CutOff(tmp_path / "gone", 1))
    qtbot.waitUntil(lambda: "gone" in window.message.text(), timeout=LONG)


def test_that_closing_stops_what_runs_and_keeps_it(workspace, qtbot, tmp_path):
    window = MainWindow(workspace)
    window.show()
    with_data(window, qtbot, write_table(tmp_path))
    workspace.document.set("training.epochs", 20000, "long")
    number = workspace.train()
    qtbot.waitUntil(lambda: bool(workspace.runs.curves(number).epochs), timeout=LONG)
    path = workspace.project.path
    window.close()
    with Project.open(path) as project:
        assert project.run(number).status in ("interrupted", "stopped")
        assert (project.run(number).folder / "run.sqlite").is_file()
    window.deleteLater()
    settle()


def test_that_training_without_data_offers_to_import_some(window):
    window.show_step("train")
    window.actions_by_key["train"].trigger()
    assert "no data" in window.message.text()
    window.show_step("data")
    assert window.message.isHidden()


def test_that_help_explains_what_has_the_focus_one_window_at_a_time(window, qtbot, tmp_path):
    with_data(window, qtbot, write_table(tmp_path))
    window.commands.explain()
    window.open_help("shortcuts")
    settle()
    dialogs = [dialog for dialog in window.findChildren(QDialog, "help") if dialog.isVisible()]
    assert [dialog.windowTitle() for dialog in dialogs] == ["Keyboard shortcuts"]
    dialogs[0].close()
    window.open_help("term bias")
    settle()
    (shown,) = (dialog for dialog in window.findChildren(QDialog, "help") if dialog.isVisible())
    assert shown.findChild(Glossary).shown() == ["bias"]
    shown.close()
    settle()


def test_that_a_project_that_is_open_elsewhere_says_so(window, qtbot, tmp_path):
    with Project.create(tmp_path / "shared") as held:
        window.workspace.open_path(held.path)
        assert "open elsewhere" in window.message.text()
        assert not window.workspace.project.writable
        window.workspace.new_project()
    assert window.message.isHidden()


@pytest.mark.parametrize("step", STEPS)
def test_that_nothing_on_a_page_takes_files_away_from_the_window(window, qtbot, tmp_path, step):
    with_data(window, qtbot, write_table(tmp_path))
    trained(window, qtbot)
    window.show_step(step)
    qtbot.wait(100)
    window.setAcceptDrops(False)
    mime, none = drag([tmp_path / "table.csv"]), Qt.KeyboardModifier.NoModifier
    takers = []
    for widget in window.findChildren(QWidget):
        if widget.acceptDrops() and widget.isVisible():
            event = QDragEnterEvent(QPoint(3, 3), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, none)
            event.ignore()
            QApplication.sendEvent(widget, event)
            if event.isAccepted():
                takers.append(f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}")
    assert not takers
