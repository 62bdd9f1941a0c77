"""The first page: bring data, run a sample, or go on with a project."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.errors import InputError, WorkbenchError
from workbench.gui.start.drop_zone import DropZone
from workbench.gui.start.recent import Recent, recent_projects
from workbench.gui.start.recent_list import RecentList
from workbench.gui.start.sample_card import SampleCard
from workbench.gui.text import safe
from workbench.gui.widgets.labels import Label
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import Scroll
from workbench.gui.workspace import Workspace
from workbench.session.samples import Sample, samples
from workbench.store.project import is_project

_WIDEST = 920
_LATE_MS = 1000
"""What is read sooner needs no bar."""
_LISTED = 6


class StartPage(QWidget):
    """What shows as long as there are no data.

    Signals:
        navigate: leads to a step.
        importRequested, importFolderRequested: files or a folder shall be chosen.
    """

    navigate = Signal(str)
    importRequested = Signal()
    importFolderRequested = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Start"))
        self._workspace = workspace
        self._busy: tuple[str, int, int] = ("", 0, 0)
        self.zone, self.message, self.recent = DropZone(), InlineMessage("error", closable=True), RecentList()
        self.cards = [SampleCard(sample) for sample in samples()]
        self._recent_head = Label(self.tr("Recent"), "title")
        self.message.hide()
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_LATE_MS)
        self._late.timeout.connect(self._show_busy)
        self._lay_out()
        self._connect()
        self._show_recent(())

    def _lay_out(self) -> None:
        self._column = QVBoxLayout()
        self._column.setSpacing(0)
        self._column.addWidget(Label(self.tr("What do you want to learn?"), "page"))
        self._column.addSpacing(4)
        words = self.tr(
            "Bring data. The workbench proposes a split and a network, trains it, and tells you what holds it back."
        )
        self._column.addWidget(Label(words, "muted", wrap=True))
        self._column.addSpacing(18)
        self._column.addWidget(self.message)
        self._message_gap = QWidget()
        self._message_gap.setFixedHeight(8)
        self._message_gap.hide()
        self._column.addWidget(self._message_gap)
        self._column.addWidget(self.zone, 1)
        self._column.addSpacing(26)
        self._column.addWidget(Label(self.tr("Or start with a sample"), "title"))
        self._column.addSpacing(10)
        cards = QHBoxLayout()
        cards.setSpacing(12)
        for card in self.cards:
            cards.addWidget(card, 1)
        self._column.addLayout(cards)
        self._column.addSpacing(26)
        self._column.addWidget(self._recent_head)
        self._column.addSpacing(4)
        self._column.addWidget(self.recent)
        self._column.addStretch(1)
        self._place(self._column)

    def _place(self, column: QVBoxLayout) -> None:
        """In the middle, no wider than can be read."""
        middle, content = QWidget(), QWidget()
        middle.setMaximumWidth(_WIDEST)
        middle.setLayout(column)
        column.setContentsMargins(0, 0, 0, 0)
        self._around = QHBoxLayout(content)
        self._around.addStretch(1)
        self._around.addWidget(middle, 1000)
        self._around.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(Scroll(content, least=480))

    def _connect(self) -> None:
        workspace = self._workspace
        self.zone.filesClicked.connect(self.importRequested)
        self.zone.folderClicked.connect(self.importFolderRequested)
        self.zone.cancelClicked.connect(workspace.data.clear)
        for card in self.cards:
            card.runClicked.connect(self._run)
        self.recent.opened.connect(self._open)
        self.message.closed.connect(self._message_gap.hide)
        workspace.data.busyChanged.connect(self._on_busy)
        workspace.failed.connect(self._on_failed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        high = event.size().height()
        top = 52 if high >= 780 else 32 if high >= 660 else 20
        self._around.setContentsMargins(24, top, 24, 20)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look_for_recent()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._say_nothing()

    # --- samples and projects ------------------------------------------------------------------------------------

    def _run(self, sample: Sample) -> None:
        self._say_nothing()
        self._workspace.run_sample(sample)

    def _open(self, path: Path) -> None:
        self._say_nothing()
        if is_project(path):
            self._workspace.open_path(path)
            return
        self._workspace.settings.forget_recent(path)
        self._on_failed(
            InputError(
                "the project is no longer there",
                where=safe(path),
                mend="It has been taken off the list. Where it was moved, open its new place with Ctrl O.",
            )
        )
        self._look_for_recent()

    def _look_for_recent(self) -> None:
        paths = self._workspace.settings.recent()[:_LISTED]
        here = self._workspace.project.path if self._workspace.project else None
        self._workspace.background.start(
            "recent",
            lambda _: recent_projects([path for path in paths if path != here]),
            self._show_recent,
            lambda _: None,
        )

    def _show_recent(self, projects: tuple[Recent, ...]) -> None:
        self.recent.show_projects(projects)
        for widget in (self._recent_head, self.recent):
            widget.setVisible(bool(projects))

    # --- reading -------------------------------------------------------------------------------------------------

    def _on_busy(self, stage: str, done: int, total: int) -> None:
        began = bool(stage) and not self._busy[0]
        self._busy = (stage, done, total)
        if began:
            self._say_nothing()
            self._late.start()
        if not stage:
            self._late.stop()
        # A second click while the first is being answered would begin a second project.
        for widget in (*self.cards, self.recent, self.zone.files, self.zone.folder):
            widget.setEnabled(not stage)
        if not stage or self.zone.reading:
            self._show_busy()

    def _show_busy(self) -> None:
        self.zone.show_reading(*self._busy)

    def _on_failed(self, error: WorkbenchError) -> None:
        if self.isVisible():
            self.message.show_error(error)
            self._message_gap.show()

    def _say_nothing(self) -> None:
        self.message.hide()
        self._message_gap.hide()
