"""The cache of what readers gave: the same content again, mapped; anything wrong with it is as if it were not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.data_rig import numbers, picture_folder, texts, values, write_idx

from workbench.data.cache import Cache, default_folder
from workbench.data.content import Content
from workbench.data.fingerprint import fingerprint_of
from workbench.data.readers.base import Hints
from workbench.data.reading import read_sources
from workbench.errors import InputError
from workbench.recipe.data import Source


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,x,3\n2,,\n3,y,5\n")
    return path


def cached(cache: Path, path: Path, hints: Hints | None = None, **source: str) -> Content:
    return read_sources([Source.model_validate({"path": str(path), **source})], hints, cache)[0]


def entries(cache: Path) -> list[Path]:
    return sorted(cache.iterdir()) if cache.exists() else []


def test_that_a_second_reading_comes_from_the_cache_and_is_equal(csv: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    plain = read_sources([Source(path=str(csv))])[0]
    first, second = cached(cache, csv), cached(cache, csv)
    for content in (first, second):
        assert fingerprint_of(content) == fingerprint_of(plain)
        assert (content.names, content.notes, content.label) == (plain.names, plain.notes, plain.label)
    assert len(entries(cache)) == 1


def test_that_a_hit_does_not_read_the_file(csv: Path, tmp_path: Path) -> None:
    cached(tmp_path / "cache", csv)
    stamp = csv.stat()
    csv.write_bytes(b"#" * stamp.st_size)
    os.utime(csv, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert values(cached(tmp_path / "cache", csv), "a") == [1, 2, 3]


def test_that_pictures_are_mapped_from_disk_and_cannot_be_changed(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "a.idx", np.arange(24).reshape(2, 3, 4))
    pictures = cached(tmp_path / "cache", path).pictures
    assert pictures is not None
    assert isinstance(pictures.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        pictures[0] = 1


def test_that_a_changed_file_or_option_is_read_again(csv: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cached(cache, csv)
    cached(cache, csv, Hints({"a": "category"}))
    cached(cache, csv, separator=",")
    assert len(entries(cache)) == 3
    csv.write_text("a,b,c\n7,x,3\n2,,\n3,y,5\n")
    os.utime(csv, ns=(1, 1))
    assert values(cached(cache, csv), "a") == [7, 2, 3]


def test_that_what_was_read_strictly_serves_readers_that_mind_less(csv: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cached(cache, csv)
    for hints in (Hints(ignored=frozenset("a")), Hints(used=frozenset("b"))):
        assert values(cached(cache, csv, hints), "a") == [1, 2, 3]
    assert len(entries(cache)) == 1


def test_that_what_was_read_leniently_does_not_hide_an_error(tmp_path: Path) -> None:
    path, cache = tmp_path / "t.csv", tmp_path / "cache"
    path.write_text("a,b\n1,1\n2,2\nx,3\n")
    for _ in range(2):
        assert values(cached(cache, path, Hints(ignored=frozenset("a"))), "a") == ["1", "2", "x"]
        with pytest.raises(InputError, match="column 'a' is a column of numbers"):
            cached(cache, path)


def test_that_a_new_picture_in_a_folder_is_seen(tmp_path: Path) -> None:
    root, cache = picture_folder(tmp_path / "pictures"), tmp_path / "cache"
    assert cached(cache, root).rows == 6
    picture_folder(root, classes=("emu",), each=1)
    assert cached(cache, root).rows == 7


def test_that_changed_labels_are_seen(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "images.idx", np.zeros((2, 3, 4)))
    labels = write_idx(tmp_path / "labels.idx", np.array([1, 2]))
    assert values(cached(tmp_path / "cache", path), "label") == ["1", "2"]
    write_idx(labels, np.array([3, 2]))
    os.utime(labels, ns=(1, 1))
    assert values(cached(tmp_path / "cache", path), "label") == ["3", "2"]


CONTENTS = st.builds(
    lambda figures, cells, height, sets: Content(
        (
            numbers("n", figures),
            texts("c", cells[: len(figures)] + [None] * (len(figures) - len(cells))),
            numbers("m", figures[::-1]),
        ),
        np.arange(len(figures) * height * 2, dtype=np.float32).reshape(-1, height, 2, 1) if height else None,
        ("a note",),
        np.full(len(figures), 2, np.int8) if sets else None,
        "c",
    ),
    st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1, max_size=5),
    st.lists(st.none() | st.text(max_size=4), max_size=5),
    st.integers(0, 3),
    st.booleans(),
)


@given(CONTENTS)
def test_that_any_content_comes_back(tmp_path_factory: pytest.TempPathFactory, content: Content) -> None:
    cache = Cache(tmp_path_factory.mktemp("cache"))
    cache.keep("key", content)
    found = cache.load("key")
    assert found is not None
    assert fingerprint_of(found) == fingerprint_of(content)
    assert (found.notes, found.label, found.rows) == (content.notes, content.label, content.rows)


def test_that_every_flipped_bit_and_cut_is_noticed(csv: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    plain = cached(cache, csv)
    (entry,) = entries(cache)
    chance = np.random.default_rng(3)
    for file in sorted(entry.iterdir()):
        whole = file.read_bytes()
        for _ in range(25):
            place = int(chance.integers(len(whole) * 8))
            damaged = bytearray(whole)
            damaged[place // 8] ^= 1 << place % 8
            for data in (bytes(damaged), whole[: place // 8]):
                (entry / file.name).write_bytes(data)
                assert Cache(cache).load(entry.name) is None
                # Read anew and kept anew, at the same place.
                assert fingerprint_of(cached(cache, csv)) == fingerprint_of(plain)
                assert (entry / file.name).read_bytes() == whole


@pytest.mark.parametrize("text", ["", "[]", "null", '{"sum": 0, "content": "{}"}', "{" * 5000])
def test_that_a_strange_description_is_as_good_as_none(csv: Path, tmp_path: Path, text: str) -> None:
    cache = tmp_path / "cache"
    cached(cache, csv)
    (entries(cache)[0] / "content.json").write_text(text)
    assert values(cached(cache, csv), "a") == [1, 2, 3]


def test_that_a_cache_that_cannot_be_written_stops_nothing(csv: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert values(cached(tmp_path / "cache", csv), "a") == [1, 2, 3]


def test_that_nothing_half_written_is_left(csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.data.cache._write_array", full)
    assert values(cached(tmp_path / "cache", csv), "a") == [1, 2, 3]
    assert entries(tmp_path / "cache") == []


def test_that_the_oldest_entries_make_room(csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    for number, name in enumerate(("one", "two", "three")):
        Cache(cache).keep(name, cached(tmp_path / "other", csv))
        os.utime(cache / name, (number, number))
    assert Cache(cache).load("one") is not None  # which makes it the one used last
    monkeypatch.setattr("workbench.data.cache._MOST_BYTES", 1500)
    Cache(cache).keep("four", cached(tmp_path / "other", csv))
    names = [entry.name for entry in entries(cache)]
    assert "four" in names
    assert "two" not in names


def test_that_a_file_that_vanishes_is_said(csv: Path, tmp_path: Path) -> None:
    csv.unlink()
    with pytest.raises(InputError, match="there is no such file"):
        cached(tmp_path / "cache", csv)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/c"}, "/c/workbench/datasets"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "~/.cache/workbench/datasets"),
        ("darwin", {}, "~/Library/Caches/workbench/datasets"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/workbench/datasets"),
        ("win32", {}, "~/AppData/Local/workbench/datasets"),
    ],
)
def test_that_the_cache_lies_where_the_system_has_caches(
    platform: str, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_folder() == Path(expected).expanduser()
