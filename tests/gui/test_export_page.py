"""Models and reports as files: written, checked, and looked at before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot
from support.small_project import copied, make_project

from workbench.errors import InputError
from workbench.gui.export import work
from workbench.gui.export.work import Order
from workbench.gui.pages.export_page import ExportPage
from workbench.gui.workspace import Workspace


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def page(qtbot: QtBot, workspace: Workspace, project: Path, tmp_path: Path) -> ExportPage:
    """The page on run 1."""
    workspace.open_project(copied(project, tmp_path))
    workspace.runs.select(1)
    shown = ExportPage(workspace)
    qtbot.addWidget(shown)
    shown.resize(1440, 808)
    shown.show()
    qtbot.waitUntil(lambda: bool(shown.export.checkpoint.offered()), timeout=20_000)
    return shown


def _export(qtbot: QtBot, page: ExportPage) -> None:
    count = len(page.export.written.files)
    qtbot.mouseClick(page.export.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(page.export.written.files) > count, timeout=60_000)


def test_that_an_empty_project_offers_to_train(qtbot: QtBot, workspace: Workspace) -> None:
    page = ExportPage(workspace)
    qtbot.addWidget(page)
    page.show()
    assert page.export.empty.isVisible()
    assert not page.export.button.isVisible()
    assert not page.preview.isVisible()
    with qtbot.waitSignal(page.navigate) as caught:
        qtbot.mouseClick(page.export.empty.button, Qt.MouseButton.LeftButton)
    assert caught.args == ["train"]


def test_that_all_formats_are_offered_with_what_they_are_good_for(page: ExportPage) -> None:
    rows = page.export.formats.findChildren(QAbstractButton)
    assert len(rows) == 6
    assert all(row.accessibleName() and row.accessibleDescription() for row in rows)


def test_that_the_arrow_keys_move_between_formats_and_the_file_name_follows(qtbot: QtBot, page: ExportPage) -> None:
    assert Path(page.export.path.text()).name == "small-run-1.onnx"
    row = page.export.formats.findChildren(QAbstractButton)[0]
    row.setFocus()
    qtbot.keyClick(row, Qt.Key.Key_Down)
    assert page.export.formats.value() == "safetensors"
    assert Path(page.export.path.text()).name == "small-run-1.safetensors"


def test_that_an_onnx_file_is_written_and_computes_what_the_run_predicted(
    qtbot: QtBot, page: ExportPage, workspace: Workspace, tmp_path: Path
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    path = tmp_path / "out" / "model.onnx"
    page.export.path.setText(str(path))
    _export(qtbot, page)
    (written,) = page.export.written.files
    assert written.path == path
    assert written.size == path.stat().st_size
    assert written.passed
    assert "onnxruntime" in written.checked
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = np.array([[0.3, -1.2], [2.0, 0.1]], np.float32)
    outputs = session.run(None, {session.get_inputs()[0].name: inputs})
    assert any(np.allclose(np.asarray(each).sum(-1), 1, atol=1e-5) for each in outputs if np.ndim(each) == 2)


def test_that_a_file_that_exists_is_replaced_only_after_asking(qtbot: QtBot, page: ExportPage, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_text("mine")
    page.export.path.setText(str(path))
    qtbot.mouseClick(page.export.button, Qt.MouseButton.LeftButton)
    assert page.export.message.isVisible()
    assert "exists already" in page.export.message.text()
    assert path.read_text() == "mine"
    page.export.message.actionClicked.emit()
    qtbot.waitUntil(lambda: bool(page.export.written.files), timeout=60_000)
    assert path.read_bytes() != b"mine"
    assert not page.export.message.isVisible()


def test_that_the_source_comes_with_its_weights_unless_they_are_not_wanted(
    qtbot: QtBot, page: ExportPage, tmp_path: Path
) -> None:
    page.export.formats.set_value("pytorch")
    page.export.path.setText(str(tmp_path / "net.py"))
    _export(qtbot, page)
    assert [one.path.name for one in page.export.written.files] == ["net.py", "net.safetensors"]
    page.export.weights.setChecked(False)
    page.export.path.setText(str(tmp_path / "other.py"))
    _export(qtbot, page)
    assert not (tmp_path / "other.safetensors").exists()


def test_that_a_report_is_written_of_the_kept_model_only(qtbot: QtBot, page: ExportPage, tmp_path: Path) -> None:
    page.export.formats.set_value("html")
    assert not page.export.checkpoint.isVisible()
    assert page.export.which == "kept"
    path = tmp_path / "report.html"
    page.export.path.setText(str(path))
    _export(qtbot, page)
    assert path.read_text().startswith("<!")


def test_that_the_pages_of_the_report_are_shown_before_it_is_written(qtbot: QtBot, page: ExportPage) -> None:
    page.export.formats.set_value("pdf")
    qtbot.waitUntil(lambda: page.preview.view.pages() > 1, timeout=60_000)
    assert page.preview.view.reader.isVisible()


def test_that_the_source_is_shown_as_it_will_be_written(qtbot: QtBot, page: ExportPage, workspace: Workspace) -> None:
    page.export.formats.set_value("pytorch")
    qtbot.waitUntil(lambda: "class Model(nn.Module)" in page.preview.view.text.toPlainText(), timeout=60_000)


def test_that_a_folder_that_cannot_be_written_is_told_where_it_was_asked_for(
    qtbot: QtBot, page: ExportPage, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    page.export.path.setText(str(tmp_path / "file" / "model.onnx"))
    qtbot.mouseClick(page.export.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.export.message.isVisible(), timeout=60_000)
    assert page.export.written.files == []
    assert page.export.button.isEnabled()


@pytest.mark.parametrize(("typed", "said"), [("", "choose a file"), ("model.onnx", "with its folder")])
def test_that_a_path_that_is_none_is_refused(qtbot: QtBot, page: ExportPage, typed: str, said: str) -> None:
    page.export.path.setText(typed)
    qtbot.keyClick(page.export.path, Qt.Key.Key_Return)
    assert said in page.export.message.text()
    assert page.export.written.files == []


def test_that_a_damaged_run_says_so_beside_the_preview_and_below_the_form(
    qtbot: QtBot, page: ExportPage, workspace: Workspace, tmp_path: Path
) -> None:
    entry = workspace.runs.entry(1)
    assert entry is not None
    (entry.folder / "summary.json").unlink()
    page.export.formats.set_value("pdf")
    qtbot.waitUntil(lambda: page.preview.message.isVisible(), timeout=60_000)
    assert "cannot be read" in page.preview.message.text()
    page.export.path.setText(str(tmp_path / "report.pdf"))
    qtbot.mouseClick(page.export.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.export.message.isVisible(), timeout=60_000)
    assert not (tmp_path / "report.pdf").exists()


def test_that_another_run_gives_another_name_in_the_same_folder(
    qtbot: QtBot, page: ExportPage, workspace: Workspace, tmp_path: Path
) -> None:
    page.export.path.setText(str(tmp_path / "here" / "model.onnx"))
    workspace.runs.select(2)
    assert page.export.path.text() == str(tmp_path / "here" / "small-run-2.onnx")


def test_that_the_folder_of_the_last_export_is_remembered(
    qtbot: QtBot, page: ExportPage, workspace: Workspace, tmp_path: Path
) -> None:
    page.export.path.setText(str(tmp_path / "out" / "model.npz"))
    page.export.formats.set_value("npz")
    _export(qtbot, page)
    again = ExportPage(workspace)
    qtbot.addWidget(again)
    assert Path(again.export.path.text()).parent == tmp_path / "out"


def test_that_best_and_last_checkpoint_are_offered_and_differ(project: Path, tmp_path: Path) -> None:
    run = copied(project, tmp_path) / "runs" / "run-2"
    options = work.checkpoints_of(run)
    assert options[0][0] == "kept"
    assert len({words for _, words in options}) == len(options)
    for which, _ in options:
        path = tmp_path / which / "weights.npz"
        (written,) = work.write(Order(run, "npz", which, path))
        assert str(written.epoch) in dict(options)[which]


def test_that_nothing_is_written_where_one_of_two_files_cannot_be_made(project: Path, tmp_path: Path) -> None:
    run = copied(project, tmp_path) / "runs" / "run-1"
    with pytest.raises(InputError):
        work.write(Order(run, "pytorch", "99", tmp_path / "net.py", weights=True))
    assert not (tmp_path / "net.py").exists()


@pytest.mark.parametrize("name", ["a/b c?.x", "../../etc", "", "…", "x" * 300])
def test_that_a_suggested_name_is_one_name_and_not_too_long(name: str) -> None:
    suggested = work.default_name(name, 3, "pdf")
    assert Path(suggested).name == suggested
    assert len(suggested) < 100
    assert suggested.endswith("-run-3-report.pdf")


def test_that_a_preview_has_as_many_pages_as_the_pdf(project: Path, tmp_path: Path) -> None:
    run = copied(project, tmp_path) / "runs" / "run-1"
    pages = work.preview(run, "pdf", "kept").pages
    (written,) = work.write(Order(run, "pdf", "kept", tmp_path / "report.pdf"))
    assert all(page.startswith(b"\x89PNG") for page in pages)
    assert written.path.read_bytes().startswith(b"%PDF-")
    assert len(pages) >= 3
