"""What every reader promises: whatever the bytes, it gives sound content or one InputError that names the file."""

from __future__ import annotations

import gzip
import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.data_rig import read, write_idx

from workbench.data.content import Content
from workbench.data.readers.base import Hints, readers
from workbench.data.reading import quiet, read_one, read_sources
from workbench.errors import InputError
from workbench.recipe.data import Source

RNG = np.random.default_rng(4)
CASES = 120
"""Damaged versions of each file."""


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def npy(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, array)  # type: ignore[arg-type]
    return file.getvalue()


def picture(form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (9, 8, 3), np.uint8)).save(file, form)
    return file.getvalue()


def idx(shape: tuple[int, ...] = (6, 4, 4)) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes() + bytes(range(96))


ROWS = "".join(f"{row},{row * 0.5},x{row % 3}\n" for row in range(12))
FILES: dict[str, bytes] = {
    "a.csv": f"a,b,c\n{ROWS}".encode(),
    "b.tsv": f"a\tb\tc\n{ROWS}".replace(",", "\t").encode("utf-16"),
    "c.csv.gz": gzip.compress(f"a,b,c\n{ROWS}".encode()),
    "d.txt": f"a b c\n{ROWS}".replace(",", " ").encode(),
    "e.npy": npy(RNG.normal(size=(6, 3))),
    "f.npz": npz(x_train=RNG.normal(size=(6, 3)), y_train=np.arange(6), x_test=np.ones((2, 3)), y_test=np.arange(2)),
    "g.npz": npz(x=RNG.integers(0, 256, (5, 4, 4), np.uint8), y=np.array(list("abcab"))),
    "h-idx3-ubyte": idx(),
    "i-idx3-ubyte.gz": gzip.compress(idx()),
    **{f"j.{form.lower()}": picture(form) for form in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")},
}


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 8])):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def splice(data: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(data)) for _ in range(2))
    place = chance.randrange(len(data))
    return data[:place] + data[start : min(end, start + 200)] + data[place:]


MAGIC = [
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\0" * 4,
    b"\xff" * 8,
    b"\n",
    b'"',
    b",",
    b"\0",
    b"(",
    b"9" * 12,
    b"nan",
    b"inf",
]


def magic(data: bytes, chance: random.Random) -> bytes:
    place, word = chance.randrange(len(data)), chance.choice(MAGIC)
    return data[:place] + word + data[place + len(word) :]


def assert_sound(content: Content) -> None:
    assert content.rows > 0
    assert len(set(content.names)) == len(content.names)
    for column in content.columns:
        assert len(column.values) == content.rows
        if column.type == "category":
            assert column.values.dtype == np.int32
            assert column.values.min() >= -1
            assert column.values.max() < len(column.categories)
        else:
            assert column.values.dtype == np.float64
            assert not np.isinf(column.values).any()
    if content.pictures is not None:
        assert content.pictures.dtype in (np.uint8, np.float32)
        assert content.pictures.ndim == 4
        assert np.isfinite(content.pictures).all()


def refusal(path: Path) -> str:
    """Why a file is refused; empty where it is read, and sound."""
    try:
        content = read(path)
    except InputError as error:
        return str(error)
    assert_sound(content)
    return ""


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Room for what honest small files need, and no more: a declared terabyte shows as a MemoryError."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096 if Path("/proc/self/statm").exists() else 0
    room = used + 2 * 2**30 if used else before[0]
    resource.setrlimit(resource.RLIMIT_AS, (room, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("damage", [cut, flip, splice, magic])
@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.usefixtures("little_memory")
def test_that_damaged_files_give_typed_errors_only(
    tmp_path: Path, name: str, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    chance = random.Random(f"{name} {damage.__name__}")
    path = tmp_path / name
    refused = 0
    for _ in range(CASES):
        path.write_bytes(damage(FILES[name], chance))
        error = refusal(path)
        refused += bool(error)
        assert not error or name in error
    assert refused or damage is not cut or name.endswith((".csv", ".txt"))


@pytest.mark.parametrize("name", sorted(FILES))
def test_that_the_sound_files_are_read_by_one_reader(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert_sound(read(path))
    first = next(reader for reader in readers() if reader.sniff(path))
    assert_sound(first.read(Source(path=str(path)), Hints(), quiet))
    assert path in first.files(Source(path=str(path)))


def test_that_every_reader_is_described_and_has_a_file_here(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    paths = [tmp_path / name for name in FILES]
    for reader in readers():
        assert reader.title
        assert any(reader.sniff(path) for path in paths), reader.kind


def test_that_a_format_that_is_named_goes_before_what_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(FILES["a.csv"])
    with pytest.raises(InputError, match="is no IDX file"):
        read(path, format="idx")
    with pytest.raises(InputError, match=r"'tabel' is no format; did you mean 'table'\? \(known: idx"):
        read(path, format="tabel")


@pytest.mark.parametrize(
    ("name", "said"),
    [("a.xlsx", "Save the sheet as CSV"), ("a.zip", "Unpack it"), ("a.pkl", "can run code"), ("a.bin", "Formats: IDX")],
)
def test_that_other_formats_are_refused_with_the_way_out(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04\0\0\0\0nothing")
    with pytest.raises(InputError, match=f"is in no format that can be read. .*{said}"):
        read(tmp_path / name)


def test_that_all_sources_that_are_wrong_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("a,b\n1,2\n3\n")
    sources = [Source(path=str(tmp_path / name)) for name in ("people.csv", "peple.csv", "x\0.csv")]
    with pytest.raises(InputError) as caught:
        read_sources(sources)
    message = str(caught.value)
    assert "3 problems" in message
    assert "line 3 has 1" in message
    assert "there is no such file or folder; did you mean 'people.csv'?" in message
    assert message.endswith("x\0.csv: there is no such file or folder")


def test_that_several_sources_are_read_as_one(tmp_path: Path) -> None:
    for name in ("a.csv", "d.txt"):
        (tmp_path / name).write_bytes(FILES[name])
    content = read_one([Source(path=str(tmp_path / name)) for name in ("a.csv", "d.txt")])
    assert content.rows == 24
    assert content.names == ("a", "b", "c")


def test_that_headings_survive_beside_other_errors(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    for name in ("1.png", "2.png"):
        (tmp_path / "cat" / name).write_text("no picture")
    with pytest.raises(InputError) as caught:
        read_sources([Source(path=str(tmp_path)), Source(path=str(tmp_path / "none"))])
    message = str(caught.value)
    assert "2 files cannot be read as pictures" in message
    assert message.count("is no PNG") == 2
    assert "there is no such file" in message


def test_that_labels_that_are_missing_are_said(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "a.idx", np.zeros((2, 3, 3)))
    with pytest.raises(InputError, match=r"b\.idx: there is no such file"):
        read(path, labels=str(tmp_path / "b.idx"))


@pytest.mark.parametrize("name", ["a.csv", "f.npz", "j.png"])
def test_that_labels_apart_are_refused_where_they_have_no_meaning(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    (tmp_path / "labels.npy").write_bytes(npy(np.arange(3)))
    with pytest.raises(InputError, match="Leave `labels` empty"):
        read(tmp_path / name, labels=str(tmp_path / "labels.npy"))


def test_that_damaged_pictures_say_nothing_but_the_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = bytearray(picture("TIFF"))
    data[10:12] = b"\xff\xff"
    for place in range(8, len(data), 7):
        (tmp_path / "a.tiff").write_bytes(data[:place] + b"\xff" + data[place + 1 :])
        refusal(tmp_path / "a.tiff")
    assert caplog.records == []


def test_that_a_file_that_cannot_be_opened_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(FILES["a.csv"])

    def refuse(*given: object, **named: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    # As root every file opens: the system's refusal is put in its place.
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"a\.csv: cannot be read \(Permission denied\)"):
        read(path)
