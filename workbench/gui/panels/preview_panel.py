"""A look at what will be written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from workbench.errors import WorkbenchError
from workbench.gui.background import Background
from workbench.gui.export import work
from workbench.gui.export.preview_view import PreviewView
from workbench.gui.export.work import Preview
from workbench.gui.widgets.empty_state import EmptyState
from workbench.gui.widgets.message import InlineMessage
from workbench.gui.widgets.panel import Panel


class PreviewPanel(Panel):
    """The pages of a report, the source, or the tensors of the chosen export; made in the background."""

    def __init__(self, background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.set_title(self.tr("Preview"))
        self._background = background
        self._wanted: tuple[Path, str, str] | None = None
        self._shown: tuple[Path, str, str] | None = None
        self.view = PreviewView()
        self.message = InlineMessage("warning")
        self.message.hide()
        self.empty = EmptyState(self.tr("A preview will appear here"))
        self.add(self.message, padded=True)
        self.add(self.view, stretch=1)
        self.add(self.empty, stretch=1)
        self.view.hide()

    def want(self, run: Path | None, kind: str, which: str) -> None:
        """Show another export; nothing is made as long as nobody looks."""
        self._wanted = None if run is None else (run, kind, which)
        if self.isVisible():
            self._make()

    def forget(self) -> None:
        """What is shown may have changed on disk: make it anew when it is wanted next."""
        self._shown = None

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._make()

    def _make(self) -> None:
        wanted = self._wanted
        if wanted == self._shown:
            return
        self._shown = wanted
        if wanted is None:
            self._background.cancel("preview")
            self._show(None)
            return
        self.set_note(self.tr("is being made…"))
        run, kind, which = wanted
        self._background.start("preview", lambda _: work.preview(run, kind, which), self._show, self._fail)

    def _show(self, preview: Preview | None) -> None:
        self.message.hide()
        self.view.setVisible(preview is not None)
        self.empty.setVisible(preview is None)
        self.set_note(self._note(preview))
        if preview is not None:
            self.view.show_preview(preview)

    def _fail(self, error: WorkbenchError) -> None:
        self._show(None)
        self.message.show_error(error)

    def _note(self, preview: Preview | None) -> str:
        if preview is None:
            return ""
        if preview.pages and self._shown is not None and self._shown[1] == "html":
            return self.tr("the same content as in the HTML page, laid out on pages")
        if preview.pages:
            return self.tr("{0} pages, as they will be written").format(len(preview.pages))
        return self.tr("the file as it will be written") if preview.text else self.tr("what is inside")
