"""What can be done in the window, as data: menus, keys and the command palette are made of this one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget


@dataclass(frozen=True)
class Deed:
    """Something that can be done.

    Attributes:
        key: its name in code.
        text: its name for people.
        menu: the menu it stands in.
        keys: shortcuts, the first one is shown.
        about: one sentence, shown in the palette.
        line: whether a line separates it from what stands above.
        checkable: whether it is on or off.
    """

    key: str
    text: str
    menu: str
    keys: tuple[str, ...] = ()
    about: str = ""
    line: bool = False
    checkable: bool = False


STEPS = ("data", "network", "train", "diagnose", "export")
MENUS = ("File", "Edit", "Data", "Model", "Train", "View", "Help")

DEEDS = (
    Deed("new", "New project", "File", ("Ctrl+N",), "Close this project and begin with nothing."),
    Deed("open", "Open…", "File", ("Ctrl+O",), "A project folder, a recipe or a run."),
    Deed(
        "save", "Save the recipe as…", "File", ("Ctrl+S",), "Write the recipe to a TOML file; the project saves itself."
    ),
    Deed("reveal", "Show the project's folder", "File", (), "Open it in the file manager."),
    Deed("quit", "Quit", "File", ("Ctrl+Q",), "Runs stop after their batch; their checkpoints are kept.", line=True),
    Deed("undo", "Undo", "Edit", ("Ctrl+Z",)),
    Deed("redo", "Redo", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y")),
    Deed("import", "Import files…", "Data", ("Ctrl+I",), "A table, pictures, an .npz or MNIST files."),
    Deed("import_folder", "Import a folder…", "Data", (), "Pictures, with a subfolder for each class."),
    Deed("step_data", "Go to Data", "View", ("Ctrl+1",)),
    Deed("step_network", "Go to Network", "View", ("Ctrl+2",)),
    Deed("step_train", "Go to Train", "View", ("Ctrl+3",)),
    Deed("step_diagnose", "Go to Diagnose", "View", ("Ctrl+4",)),
    Deed("step_export", "Go to Export", "View", ("Ctrl+5",)),
    Deed("edit_network", "Edit the network", "Model", (), "Layers, shapes and the diagram."),
    Deed("export", "Export a model or report…", "Model", (), "ONNX, safetensors, PyTorch, HTML, PDF."),
    Deed("train", "Train", "Train", ("F5",), "Train the recipe as it stands."),
    Deed("find_rate", "Find a learning rate", "Train", (), "Try rising rates out on a copy of the network."),
    Deed("pause", "Pause or go on", "Train", (), "The run waits after its batch, saved."),
    Deed("stop", "Stop", "Train", ("Shift+F5",), "After this batch; the checkpoint is kept. A second time: at once."),
    Deed("resume", "Resume the selected run", "Train", (), "Go on from its last checkpoint."),
    Deed(
        "clone",
        "Train the selected run's recipe again",
        "Train",
        ("Ctrl+D",),
        "A new run with the same recipe.",
        line=True,
    ),
    Deed("edit_run", "Edit the selected run's recipe", "Train", (), "Make it the recipe being worked on."),
    Deed("palette", "Search or run a command", "View", ("Ctrl+K",), line=True),
    Deed("next_panel", "Next panel", "View", ("F6",)),
    Deed("light", "Light theme", "View", (), line=True, checkable=True),
    Deed("dark", "Dark theme", "View", (), checkable=True),
    Deed("system", "Theme of the desktop", "View", (), checkable=True),
    Deed(
        "expert",
        "All settings (expert)",
        "View",
        ("Ctrl+E",),
        "Show the fields that are seldom needed.",
        checkable=True,
    ),
    Deed("device_auto", "Compute on the GPU where there is one", "Train", (), line=True, checkable=True),
    Deed("device_cpu", "Compute on the CPU", "Train", (), checkable=True),
    Deed("device_cuda", "Compute on the GPU", "Train", (), checkable=True),
    Deed("explain", "Explain a term…", "Help", ("F1",), "Bias, variance, dev set and the other words."),
    Deed("shortcuts", "Keyboard shortcuts", "Help", ("Ctrl+/",)),
    Deed("about", "About Workbench", "Help", (), line=True),
)


def make_actions(window: QWidget, slots: Mapping[str, Callable[[], object]]) -> dict[str, QAction]:
    """An action for each deed, with its shortcuts; what has no slot gets none."""
    actions = {}
    for deed in DEEDS:
        action = QAction(QCoreApplication.translate("actions", deed.text), window)
        action.setObjectName(deed.key)
        action.setShortcuts([QKeySequence(key) for key in deed.keys])
        action.setToolTip(deed.about)
        action.setCheckable(deed.checkable)
        slot = slots.get(deed.key)
        if slot:
            action.triggered.connect(lambda _=False, slot=slot: slot())
        window.addAction(action)
        actions[deed.key] = action
    return actions


def fill_menu(menu: QMenu, actions: Mapping[str, QAction]) -> None:
    """The main menu: a submenu for each of ``MENUS``."""
    for name in MENUS:
        part = menu.addMenu(QCoreApplication.translate("actions", name))
        for deed in DEEDS:
            if deed.menu == name:
                if deed.line:
                    part.addSeparator()
                part.addAction(actions[deed.key])
