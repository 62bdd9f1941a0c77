"""Folders of pictures: classes, sets, sizes, and all files that are no pictures at once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.data_rig import picture_folder, read, values, write_picture

from workbench.data.content import Array, Content
from workbench.errors import InputError

COLORS = np.random.default_rng(2).integers(0, 256, (6, 5, 3))


def pictures(content: Content) -> Array:
    assert content.pictures is not None
    return content.pictures


def test_that_a_subfolder_is_a_class(tmp_path: Path) -> None:
    content = read(picture_folder(tmp_path))
    assert values(content, "label") == ["cat"] * 3 + ["dog"] * 3
    assert values(content, "file") == [f"{c}/{i}.png".replace("/", os.sep) for c in ("cat", "dog") for i in range(3)]
    assert pictures(content).shape == (6, 6, 6, 3)
    assert pictures(content)[:, 0, 0].tolist() == [[c * 90, i, 30] for c in range(2) for i in range(3)]
    assert (content.label, content.sets) == ("label", None)


def test_that_train_dev_and_test_folders_are_sets(tmp_path: Path) -> None:
    for name in ("train", "val", "test"):
        picture_folder(tmp_path / name, each=2)
    content = read(tmp_path)
    codes = {"train": -1, "val": 1, "test": 2}
    assert content.sets is not None
    assert content.sets.tolist() == [codes[file.split(os.sep)[0]] for file in values(content, "file")]
    assert set(values(content, "label")) == {"cat", "dog"}


def test_that_classes_may_be_called_train_and_test(tmp_path: Path) -> None:
    content = read(picture_folder(tmp_path, classes=("train", "test")))
    assert set(values(content, "label")) == {"train", "test"}
    assert content.sets is None


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "gif", "webp", "jpg"])
def test_that_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    options = {"webp": {"lossless": True}}.get(suffix, {})
    write_picture(tmp_path / "a" / f"1.{suffix}", COLORS, **options)
    tolerance = {"jpg": 255, "gif": 64}.get(suffix, 0)
    found = pictures(read(tmp_path))[0].astype(int)
    assert found.shape == COLORS.shape
    assert abs(found - COLORS).max() <= tolerance


def test_that_grey_pictures_keep_one_channel_unless_one_has_colors(tmp_path: Path) -> None:
    write_picture(tmp_path / "a" / "1.png", COLORS[..., 0])
    write_picture(tmp_path / "a" / "2.png", COLORS[..., 1])
    np.testing.assert_array_equal(pictures(read(tmp_path))[..., 0], COLORS.transpose(2, 0, 1)[:2])
    write_picture(tmp_path / "b" / "3.png", COLORS)
    content = read(tmp_path)
    assert pictures(content).shape == (3, 6, 5, 3)
    np.testing.assert_array_equal(pictures(content)[0], COLORS[..., :1].repeat(3, axis=2))
    assert any("as RGB" in note for note in content.notes)


def test_that_16_bit_and_palette_and_transparent_pictures_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.fromarray((COLORS[..., 0] * 256).astype(np.uint16)).save(tmp_path / "a" / "1.png")
    Image.fromarray(COLORS[..., 0].astype(np.uint8)).convert("P").save(tmp_path / "a" / "2.png")
    found = pictures(read(tmp_path))
    assert found.shape == (2, 6, 5, 1)
    np.testing.assert_array_equal(found[0], found[1])
    clear = np.dstack([COLORS, np.zeros((6, 5))])
    write_picture(tmp_path / "a" / "3.png", clear)
    assert (pictures(read(tmp_path))[2] == 255).all()


def test_that_a_camera_s_turn_is_undone(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a").mkdir()
    Image.fromarray(COLORS.astype(np.uint8)).save(tmp_path / "a" / "1.png", exif=exif)
    np.testing.assert_array_equal(pictures(read(tmp_path))[0], np.rot90(COLORS, -1))


def test_that_other_sizes_are_scaled_to_the_most_frequent_one(tmp_path: Path) -> None:
    picture_folder(tmp_path, size=6)
    write_picture(tmp_path / "cat" / "big.png", np.full((40, 20, 3), 7))
    content = read(tmp_path)
    assert pictures(content).shape == (7, 6, 6, 3)
    assert (pictures(content)[values(content, "file").index(f"cat{os.sep}big.png")] == 7).all()
    assert "1 of 7 pictures scaled to 6 × 6 pixels, the most frequent size" in content.notes


def test_that_all_files_that_are_no_pictures_are_named(tmp_path: Path) -> None:
    picture_folder(tmp_path)
    (tmp_path / "cat" / "notes.txt").write_text("hello")
    (tmp_path / "dog" / "empty.png").write_bytes(b"")
    whole = (tmp_path / "dog" / "0.png").read_bytes()
    (tmp_path / "dog" / "page.svg").write_text("<svg/>")
    (tmp_path / "dog" / "short.png").write_bytes(whole[:20])
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    message = str(caught.value)
    assert "4 files cannot be read as pictures; remove or replace" in message
    for name, said in (
        ("cat/notes.txt", "is no PNG, JPEG"), ("dog/empty.png", "is empty"), ("dog/page.svg", "is no PNG"),
        ("dog/short.png", "damaged or cut off"),
    ):  # fmt: skip
        assert any(name in line.replace(os.sep, "/") and said in line for line in message.splitlines()), name


def test_that_pictures_that_end_early_are_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    for name in ("1.png", "2.jpg", "3.bmp"):
        path = write_picture(tmp_path / "a" / name, noise)
        path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="3 files cannot be read") as caught:
        read(tmp_path)
    assert len(caught.value.problems) == 3


def test_that_a_long_list_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for number in range(30):
        (tmp_path / "a" / f"{number:02}.png").write_text("no picture")
    with pytest.raises(InputError, match="30 files") as caught:
        read(tmp_path)
    assert "and 10 more" in str(caught.value)
    assert "19.png" in str(caught.value)
    assert "20.png" not in str(caught.value)


def test_that_hidden_things_are_passed_over(tmp_path: Path) -> None:
    picture_folder(tmp_path)
    for name in (".DS_Store", "cat/Thumbs.db", "cat/.hidden.png", "dog/desktop.ini"):
        (tmp_path / name).write_bytes(b"x")
    picture_folder(tmp_path / ".cache")
    picture_folder(tmp_path / "__MACOSX")
    assert read(tmp_path).rows == 6


def test_that_files_beside_the_classes_are_left_out_with_a_note(tmp_path: Path) -> None:
    picture_folder(tmp_path)
    (tmp_path / "README.md").write_text("hello")
    content = read(tmp_path)
    assert content.rows == 6
    assert any("README.md" in note for note in content.notes)


def test_that_pictures_without_classes_are_read_for_prediction(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "1.png", COLORS)
    write_picture(tmp_path / "2.png", COLORS)
    assert (read(tmp_path).names, read(tmp_path).label) == (("file",), None)
    single = read(path)
    np.testing.assert_array_equal(pictures(single)[0], COLORS)
    assert values(single, "file") == ["1.png"]


def test_that_empty_and_strange_folders_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is an empty folder"):
        read(tmp_path)
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError, match="holds neither folders of pictures nor IDX files"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"holds no pictures.*subfolder for each class"):
        read(tmp_path, format="images")


def test_that_links_may_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    outside = picture_folder(tmp_path / "outside")
    root = picture_folder(tmp_path / "root")
    inside = root / "cat" / "again.png"
    inside.symlink_to(root / "cat" / "0.png")
    assert read(root).rows == 7
    (root / "cat" / "leak.png").symlink_to(outside / "cat" / "0.png")
    (root / "loop").symlink_to(root)
    with pytest.raises(InputError) as caught:
        read(root)
    assert "leak.png: is a link that leads out of the folder" in str(caught.value)
    assert "loop: is a link to a folder" in str(caught.value)


def test_that_a_picture_of_far_too_many_pixels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.new("1", (9_000, 9_000)).save(tmp_path / "a" / "large.png")
    Image.new("1", (14_000, 14_000)).save(tmp_path / "a" / "huge.png")
    with pytest.raises(InputError, match="2 files cannot be read") as caught:
        read(tmp_path)
    assert str(caught.value).count("has more than 64 million pixels") == 2
