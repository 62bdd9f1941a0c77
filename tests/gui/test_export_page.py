"""Models and reports as files: written, checked, and looked at before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot
from support.finished_runs import finished_run
from support.small_project import copied, make_project
from support.small_runs import table_recipe, write_sequences, write_table

from workbench.data.propose import propose
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
    count = len(page.written.files)
    qtbot.mouseClick(page.export.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(page.written.files) > count, timeout=60_000)


def test_that_an_empty_project_offers_to_import_data_and_with_data_to_train(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    page = ExportPage(workspace)
    qtbot.addWidget(page)
    page.show()
    assert page.export.empty.isVisible()
    assert not page.export.button.isVisible()
    assert not page.preview.isVisible()
    with qtbot.waitSignal(page.importRequested):
        qtbot.mouseClick(page.export.empty.button, Qt.MouseButton.LeftButton)
    # Once there is something to train on, training is what is missing.
    workspace.document.replace(table_recipe(write_table(tmp_path, rows=60)))
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
    (written,) = page.written.files
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
    qtbot.waitUntil(lambda: bool(page.written.files), timeout=60_000)
    assert path.read_bytes() != b"mine"
    assert not page.export.message.isVisible()


def test_that_the_source_comes_with_its_weights_unless_they_are_not_wanted(
    qtbot: QtBot, page: ExportPage, tmp_path: Path
) -> None:
    page.export.formats.set_value("pytorch")
    page.export.path.setText(str(tmp_path / "net.py"))
    _export(qtbot, page)
    assert [one.path.name for one in page.written.files] == ["net.py", "net.safetensors"]
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
    assert page.written.files == []
    assert page.export.button.isEnabled()


@pytest.mark.parametrize(("typed", "said"), [("", "choose a file"), ("model.onnx", "with its folder")])
def test_that_a_path_that_is_none_is_refused(qtbot: QtBot, page: ExportPage, typed: str, said: str) -> None:
    page.export.path.setText(typed)
    qtbot.keyClick(page.export.path, Qt.Key.Key_Return)
    assert said in page.export.message.text()
    assert page.written.files == []


def test_that_the_page_names_all_that_an_onnx_file_reads_and_gives(tmp_path: Path) -> None:
    recipe = propose([write_sequences(tmp_path)]).recipe.replace({"training.epochs": 1})
    run = finished_run(recipe, tmp_path / "run")
    told = {name: (size, note) for name, size, note in work.preview(run, "onnx", "kept").facts}
    assert told["input"][0] == "batch × 3 × 24"
    assert "features × steps" in told["input"][1]
    assert "float32" in told["input"][1]
    assert told["output logits"][0] == told["output probabilities"][0] == "batch × 3"
    # Of weights alone it says what the network is for.
    weights = {name: size for name, size, _ in work.preview(run, "npz", "kept").facts}
    assert (weights["input"].replace("\u00a0", " "), weights["output"]) == ("24 × 3", "3")


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


def test_that_after_a_click_on_a_format_the_arrow_keys_move_among_formats_and_not_among_runs(
    qtbot: QtBot, page: ExportPage, workspace: Workspace
) -> None:
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    page.export.run.setFocus()
    rows = page.export.formats.findChildren(QAbstractButton)
    qtbot.mouseClick(rows[1], Qt.MouseButton.LeftButton)
    assert rows[1].hasFocus()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Down)
    assert page.export.formats.value() == rows[2].choice.kind  # type: ignore[attr-defined]
    assert rows[2].hasFocus()
    assert workspace.runs.current == 1


def test_that_a_name_of_another_format_is_told_and_corrected_on_demand(
    qtbot: QtBot, page: ExportPage, tmp_path: Path
) -> None:
    page.export.path.setText(str(tmp_path / "m.pdf"))
    qtbot.mouseClick(page.export.button, Qt.MouseButton.LeftButton)
    assert page.export.message.isVisible()
    assert "belongs to another format" in page.export.message.text()
    assert list(tmp_path.glob("m.*")) == []
    page.export.message.actionClicked.emit()
    assert page.export.path.text() == str(tmp_path / "m.onnx")
    assert not page.export.message.isVisible()
    _export(qtbot, page)
    assert (tmp_path / "m.onnx").is_file()
    assert not (tmp_path / "m.pdf").exists()


def test_that_a_name_without_an_ending_gets_that_of_its_format(qtbot: QtBot, page: ExportPage, tmp_path: Path) -> None:
    page.export.path.setText(str(tmp_path / "my model v1.2"))
    _export(qtbot, page)
    (written,) = page.written.files
    assert written.path == tmp_path / "my model v1.2.onnx"
    assert page.export.path.text() == str(written.path)


@pytest.mark.parametrize(
    ("name", "kind", "foreign", "ended"),
    [
        ("m.onnx", "onnx", False, "m.onnx"),
        ("m.ONNX", "onnx", False, "m.ONNX"),
        ("m", "npz", False, "m.npz"),
        ("m.2", "npz", False, "m.2.npz"),
        ("r.htm", "html", False, "r.htm"),
        ("r.html", "pdf", True, "r.html"),
        ("m.PDF", "onnx", True, "m.PDF"),
        ("m.csv", "onnx", True, "m.csv"),
        ("m.pt", "pytorch", True, "m.pt"),
    ],
)
def test_that_endings_are_told_apart(name: str, kind: str, foreign: bool, ended: str) -> None:
    assert bool(work.belongs_to(Path(name), kind)) == foreign
    assert work.with_ending(Path(name), kind) == Path(ended)
    assert not work.belongs_to(work.with_ending(Path(name), kind, instead=True), kind)


def test_that_a_folder_is_no_file_to_write(qtbot: QtBot, page: ExportPage, tmp_path: Path) -> None:
    page.export.path.setText(str(tmp_path))
    qtbot.keyClick(page.export.path, Qt.Key.Key_Return)
    assert "not a folder" in page.export.message.text()
    assert not tmp_path.with_name(tmp_path.name + ".onnx").exists()


def test_that_written_files_stand_apart_from_the_choices_and_take_a_part_of_the_page(
    qtbot: QtBot, page: ExportPage, tmp_path: Path
) -> None:
    page.resize(1024, 536)
    assert not page.written.isVisible()
    page.export.formats.set_value("npz")
    for name in ("a", "b", "c", "d"):
        page.export.path.setText(str(tmp_path / f"{name}.npz"))
        _export(qtbot, page)
    assert [one.path.name for one in page.written.files] == ["d.npz", "c.npz", "b.npz", "a.npz"]
    assert page.written.isVisible()
    assert page.written.height() < 0.4 * page.height()
    assert page.preview.height() > page.written.height()
    assert not page.export.isAncestorOf(page.written)


def test_that_the_preview_of_the_page_says_that_it_is_laid_out_anew(qtbot: QtBot, page: ExportPage) -> None:
    page.export.formats.set_value("html")
    qtbot.waitUntil(lambda: page.preview.note().startswith("the same content as in the HTML page"), timeout=60_000)
    page.export.formats.set_value("pdf")
    qtbot.waitUntil(lambda: page.preview.note().endswith("pages, as they will be written"), timeout=60_000)


def test_that_a_page_that_was_open_before_the_project_shows_its_run(
    qtbot: QtBot, workspace: Workspace, project: Path, tmp_path: Path
) -> None:
    shown = ExportPage(workspace)
    qtbot.addWidget(shown)
    shown.show()
    assert shown.export.empty.isVisible()
    workspace.open_project(copied(project, tmp_path))
    assert not shown.export.empty.isVisible()
    assert shown.export.button.isVisible()


def test_that_a_result_that_comes_later_leaves_the_name_that_was_typed(
    qtbot: QtBot, page: ExportPage, workspace: Workspace, tmp_path: Path
) -> None:
    qtbot.waitUntil(lambda: workspace.runs.result(1) is not None, timeout=20_000)
    page.export.path.setText(str(tmp_path / "mine.onnx"))
    workspace.runs.resultReady.emit(1)
    assert page.export.path.text() == str(tmp_path / "mine.onnx")
