"""Files dragged over the window: what dropping them will do, or why it will do nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QUrl
from support.data_rig import picture_folder, write_idx, write_picture
from support.small_runs import table_recipe, write_table

from workbench.gui.drops import begins_with, drop_of, drop_of_paths, file_filter, opens
from workbench.store.project import Project


def _dragged(*urls: QUrl) -> QMimeData:
    mime = QMimeData()
    mime.setUrls(list(urls))
    return mime


def test_that_a_table_is_welcome(tmp_path: Path) -> None:
    path = write_table(tmp_path)
    drop = drop_of(_dragged(QUrl.fromLocalFile(str(path))))
    assert drop.welcome
    assert drop.paths == (path,)
    assert drop.text == "Import table.csv"


def test_that_several_files_are_counted_by_kind(tmp_path: Path) -> None:
    paths = [write_table(tmp_path, 5, name) for name in ("a.csv", "b.csv")]
    assert drop_of_paths(paths).text == "Import 2 tables"
    idx = [
        write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((4, 3, 3))),
        write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(4)),
    ]
    assert drop_of_paths(idx).text == "Import 2 IDX files"
    assert drop_of_paths([*paths, *idx]).text == "Import 4 files"


def test_that_a_folder_of_pictures_is_welcome(tmp_path: Path) -> None:
    folder = picture_folder(tmp_path / "animals")
    assert drop_of_paths([folder]).text == "Import the folder animals"
    assert drop_of_paths([folder, write_table(tmp_path)]).text == "Import 1 file and the folder"


def test_that_projects_recipes_and_runs_are_opened_alone(tmp_path: Path) -> None:
    with Project.create(tmp_path / "study") as project:
        path = project.path
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(table_recipe(write_table(tmp_path)).toml())
    assert drop_of_paths([path]).text == "Open the project study"
    assert drop_of_paths([recipe]).text == "Open the recipe recipe.toml"
    assert opens(path)
    assert opens(recipe)
    assert not opens(tmp_path / "table.csv")
    refused = drop_of_paths([path, tmp_path / "table.csv"])
    assert not refused.welcome
    assert "drop it alone" in refused.text


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("survey.xlsx", b"PK\x03\x04\x00", "cannot be read"),
        ("music.mp3", b"ID3\x00\xff\xfe", "is none of"),
    ],
)
def test_that_what_cannot_be_read_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, word: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    drop = drop_of_paths([path])
    assert not drop.welcome
    assert drop.paths == ()
    assert word in drop.text


def test_that_weights_are_offered_to_begin_with_and_npz_stays_data(tmp_path: Path) -> None:
    for name in ("model.onnx", "encoder.safetensors"):
        path = tmp_path / name
        path.write_bytes(b"x")
        assert drop_of_paths([path]).text == f"Begin the next run with the weights in {name}"
        assert begins_with(path)
    assert "drop it alone" in drop_of_paths([tmp_path / "model.onnx", write_table(tmp_path)]).text
    np.savez(tmp_path / "data.npz", x=np.zeros((4, 3)), y=np.zeros(4))
    assert drop_of_paths([tmp_path / "data.npz"]).text == "Import data.npz"


def test_that_an_empty_or_missing_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert "empty folder" in drop_of_paths([tmp_path / "nothing"]).text
    assert "not there any more" in drop_of_paths([tmp_path / "gone.csv"]).text


def test_that_a_lone_picture_is_told_that_its_class_is_missing(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "cat.png", np.zeros((4, 4)))
    drop = drop_of_paths([path])
    assert not drop.welcome
    assert "subfolder for each class" in drop.text


def test_that_a_link_from_the_web_is_refused_and_words_are_ignored() -> None:
    web = drop_of(_dragged(QUrl("https://example.org/data.csv")))
    assert not web.welcome
    assert "download it first" in web.text
    words = QMimeData()
    words.setText("some words")
    assert drop_of(words).text == ""


def test_that_a_name_full_of_controls_is_shown_on_one_line(tmp_path: Path) -> None:
    path = write_table(tmp_path, 5, "a\nb\u202ec.csv")
    text = drop_of_paths([path]).text
    assert "\n" not in text
    assert "\u202e" not in text


def test_that_the_dialog_offers_every_format() -> None:
    for suffix in ("*.csv", "*.tsv", "*.npz", "*.npy"):
        assert suffix in file_filter()
