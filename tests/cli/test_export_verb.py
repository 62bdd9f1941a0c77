"""``workbench export``, as a user types it: what it writes, what it prints, and what it never destroys."""

import hashlib
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from support.finished_runs import finished_run
from support.small_runs import finished, table_recipe, write_table

from workbench.export.formats.base import exporters
from workbench.session.prepare import prepare
from workbench.store.run_folder import Checkpoint, RunFolder

STARTS = {"html": b"<!DOCTYPE html>", "npz": b"PK", "onnx": b"\x08", "pdf": b"%PDF-", "pytorch": b'"""A network'}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return finished_run(table_recipe(write_table(folder)), folder / "first")


def writable_copy(run, folder):
    shutil.copytree(run, folder)
    return folder


@pytest.mark.parametrize("kind", list(exporters()))
def test_that_each_format_is_written_and_what_was_checked_is_told(workbench, run, tmp_path, kind):
    out = tmp_path / f"out{exporters()[kind].suffix}"
    told = workbench.well("export", run, "--format", kind, "-o", out).out
    data = out.read_bytes()
    assert data.startswith(STARTS.get(kind, b""))
    assert str(out) in told
    assert f"{len(data):,} bytes" in told
    assert "Checked: " in told
    assert [file.name for file in tmp_path.iterdir()] == [out.name]


def test_that_json_says_what_was_written(workbench, run, tmp_path):
    out = tmp_path / "model.onnx"
    told = workbench.well("export", run, "--format", "onnx", "-o", out, "--json").json
    assert told["file"] == str(out)
    assert told["format"] == "onnx"
    assert told["bytes"] == out.stat().st_size
    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert told["epoch"] == 4
    assert told["passed"] is True
    assert "onnxruntime" in told["checked"]


def test_that_what_an_onnx_file_reads_and_gives_is_told_as_it_stands_in_the_file(workbench, run, tmp_path):
    out = tmp_path / "model.onnx"
    told = workbench.well("export", run, "--format", "onnx", "-o", out).out
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    for port in (*session.get_inputs(), *session.get_outputs()):
        assert any(port.name in line and f"({', '.join(map(str, port.shape))})" in line for line in told.split("\n"))
    assert "batch × features, as they are" in told
    json = workbench.well("export", run, "--format", "onnx", "-o", out, "--json", "--force").json
    assert [one["name"] for one in json["inputs"]] == ["input"]
    assert [(one["name"], one["shape"]) for one in json["outputs"]] == [
        ("logits", ["batch", 3]), ("probabilities", ["batch", 3]),
    ]  # fmt: skip
    weights = tmp_path / "w.npz"
    assert "inputs" not in workbench.well("export", run, "--format", "npz", "-o", weights, "--json").json


@pytest.mark.parametrize(
    ("name", "kind", "noted"),
    [("x.pytorch", "pytorch", True), ("x", "npz", True), ("x.py", "pytorch", False), ("x.HTM", "html", False)],
)
def test_that_the_format_is_named_and_an_unusual_ending_is_noted(workbench, run, tmp_path, name, kind, noted):
    told = workbench.well("export", run, "--format", kind, "-o", tmp_path / name)
    assert f"{name} written: {exporters()[kind].title} (" in told.out
    assert ("note: " in told.err) == noted
    assert (exporters()[kind].suffix in told.err) == noted


def test_that_help_lists_the_formats_with_an_example(workbench):
    told = workbench.well("export", "--help").out
    assert "example:" in told
    for kind in exporters():
        assert f"\n  {kind} " in told


def test_that_an_existing_file_is_kept_unless_forced(workbench, run, tmp_path):
    out = tmp_path / "weights.npz"
    out.write_bytes(b"mine")
    refused = workbench("export", run, "--format", "npz", "-o", out)
    assert refused.code == 2
    assert "--force" in refused.err
    assert out.read_bytes() == b"mine"
    workbench.well("export", run, "--format", "npz", "-o", out, "--force")
    assert out.read_bytes()[:2] == b"PK"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "onnx", "-o", "no/such/folder/x.onnx"], "no such folder"),
        (["--format", "onnx", "-o", "."], "is a folder"),
        (["--format", "word", "-o", "x"], "invalid choice: 'word'"),
        (["--format", "onnx", "-o", "x.onnx", "--checkpoint", "999"], "has no checkpoint '999'"),
        (["--format", "pdf", "-o", "x.pdf", "--checkpoint", "last"], "about the kept model"),
        (["-o", "x"], "--format"),
    ],
)
def test_that_bad_usage_is_one_message(workbench, run, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    result = workbench("export", run, *arguments)
    assert result.code == 2
    assert words in result.err
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []


def test_that_what_is_no_run_folder_is_refused(workbench, tmp_path):
    result = workbench("export", tmp_path, "--format", "html", "-o", tmp_path / "x.html")
    assert result.code == 2
    assert "is no run folder" in result.err


def test_that_an_unfinished_run_has_a_model_but_no_report(workbench, tmp_path):
    recipe, folder = table_recipe(write_table(tmp_path)), tmp_path / "run"
    finished(recipe, folder)
    with RunFolder.open(folder, write=True) as opened:
        opened.write("encoder.json", prepare(recipe, device="cpu", threads=1).dataset.encoder.to_json().encode())
    workbench.well("export", folder, "--format", "onnx", "-o", tmp_path / "x.onnx")
    result = workbench("export", folder, "--format", "html", "-o", tmp_path / "x.html")
    assert result.code == 2
    assert "workbench resume" in result.err
    assert not (tmp_path / "x.html").exists()


def test_that_a_failed_check_leaves_the_old_file_as_it_is(workbench, run, tmp_path):
    folder, out = writable_copy(run, tmp_path / "copy"), tmp_path / "model.onnx"
    workbench.well("export", folder, "--format", "onnx", "-o", out)
    before = out.read_bytes()
    with RunFolder.open(folder, write=True) as opened:
        state = opened.load("last")
        tensors = {name: np.full_like(array, np.nan) for name, array in state.tensors.items()}
        opened.commit([], Checkpoint(tensors, state.facts))
    result = workbench("export", folder, "--format", "onnx", "-o", out, "--force")
    assert result.code == 1
    assert "did not pass its check" in result.err
    assert "Nothing was written" in result.err
    assert out.read_bytes() == before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the size of files as Linux does")
def test_that_a_full_disk_leaves_the_old_file_as_it_is(run, tmp_path):
    out = tmp_path / "report.html"
    out.write_bytes(b"old")
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "workbench", "export", run, "--format", "html", "-o", out, "--force"]
    limit = 50_000
    ran = subprocess.run(
        [str(part) for part in command],
        cwd=root,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert ran.returncode == 1, ran.stderr
    assert "the disk is full" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert out.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_that_two_checkpoints_give_two_models(workbench, run, tmp_path):
    with RunFolder.open(run) as opened:
        numbers = {row.number: row.epoch for row in opened.checkpoints()}
    epochs = {}
    for which in map(str, numbers):
        out = tmp_path / f"{which}.safetensors"
        arguments = ("--format", "safetensors", "-o", out, "--checkpoint", which, "--json")
        told = workbench.well("export", run, *arguments).json
        epochs[told["checkpoint"]] = told["epoch"]
    assert epochs == numbers
