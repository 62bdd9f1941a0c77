import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workbench.errors import InputError, StoreError
from workbench.store import tensors
from workbench.store.files import read_file, sha256, write_file

names = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=10)
values = arrays.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]), arrays.array_shapes(min_dims=0, max_side=4)
)


@given(st.dictionaries(names, values, max_size=5), st.dictionaries(names, names, max_size=3))
def test_that_tensors_come_back_as_they_were(given_tensors, metadata):
    found, texts = tensors.from_bytes(tensors.to_bytes(given_tensors, metadata), "test")
    assert texts == metadata
    assert found.keys() == given_tensors.keys()
    for name, array in given_tensors.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_that_the_library_reads_what_is_written():
    from safetensors.numpy import load

    made = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros((0, 4))}
    found = load(tensors.to_bytes(made, {"x": "y"}))
    assert {name: array.shape for name, array in found.items()} == {"a.weight": (2, 3), "b": (0, 4)}


@settings(max_examples=300)
@given(st.integers(0, 10_000), st.integers(1, 255), st.booleans())
def test_that_a_damaged_file_gives_a_typed_error_or_other_numbers_but_nothing_else(place, flip, cut):
    data = bytearray(tensors.to_bytes({"a": np.arange(50.0), "b": np.ones(7, np.int32)}, {"k": "v"}))
    if cut:
        del data[place % len(data) :]
    else:
        data[place % len(data)] ^= flip
    numbers, complaint = 0, ""
    try:
        numbers = sum(array.size for array in tensors.from_bytes(bytes(data), "test")[0].values())
    except InputError as error:
        complaint = str(error)
    assert numbers <= 50 * 8 + 28
    assert not complaint or "safetensors" in complaint


def test_that_a_header_of_terabytes_is_refused():
    header = b'{"a":{"dtype":"F64","shape":[100000000000],"data_offsets":[0,800000000000]}}'
    with pytest.raises(InputError, match="makes no sense"):
        tensors.from_bytes(len(header).to_bytes(8, "little") + header, "evil")


def test_that_a_write_replaces_the_content_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_file(path, b"old")
    assert write_file(path, b"new") == sha256(b"new")
    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are POSIX")
def test_that_links_stay_and_pipes_are_written_to(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "kept" / "real")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "kept" / "real").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(tmp_path / "pipe", b"through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo(), "not replaced by a file"


def test_that_a_changed_file_is_noticed(tmp_path):
    digest = write_file(tmp_path / "file", b"content")
    (tmp_path / "file").write_bytes(b"c0ntent")
    with pytest.raises(StoreError, match="damaged"):
        read_file(tmp_path / "file", digest)


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_that_a_full_disk_leaves_the_old_content_and_says_so(tmp_path):
    path = tmp_path / "file"
    write_file(path, b"old")
    script = (
        "import resource, signal; from pathlib import Path; from workbench.store.files import write_file;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        f"write_file(Path({str(path)!r}), b'x' * 100000)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "WriteError" in done.stderr
    assert "disk is full" in done.stderr
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
