"""Makes the pages of the window, each imported when it is first opened."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from workbench.gui.workspace import Workspace


def make_page(name: str, workspace: Workspace) -> QWidget:
    """A page by name: ``start``, ``data``, ``network``, ``train``, ``diagnose``, ``export``."""
    if name == "start":
        from workbench.gui.pages.start_page import StartPage

        return StartPage(workspace)
    if name == "data":
        from workbench.gui.pages.data_page import DataPage

        return DataPage(workspace)
    if name == "network":
        from workbench.gui.pages.network_page import NetworkPage

        return NetworkPage(workspace)
    if name == "train":
        from workbench.gui.pages.train_page import TrainPage

        return TrainPage(workspace)
    if name == "diagnose":
        from workbench.gui.pages.diagnose_page import DiagnosePage

        return DiagnosePage(workspace)
    from workbench.gui.pages.export_page import ExportPage

    return ExportPage(workspace)
