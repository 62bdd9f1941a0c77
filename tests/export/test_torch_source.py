"""Exported PyTorch source: readable, self-contained, takes the safetensors strictly and computes the same."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cases import Case, all_cases
from support.exports import Exported, classifying_losses, encoder_of, module_of
from support.layer_rig import assert_close
from support.networks import network_around, network_of, networks

from workbench.engine.network import Network
from workbench.export.torch_source import torch_source
from workbench.export.weights import model_tensors, to_safetensors

CNN = [
    {"kind": "conv2d", "filters": 3, "kernel": 2, "name": "conv"},
    {"kind": "batch_norm", "name": "norm"},
    {"kind": "activation", "name": "act"},
    {"kind": "conv2d", "filters": 3, "name": "more"},
    {"kind": "add", "inputs": ["more", "act"], "name": "sum"},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes", "name": "end"},
]

SEQUENCES = [
    {"kind": "reshape", "shape": [4, 6]},
    {"kind": "lstm", "units": 8, "sequences": True, "bidirectional": True, "bias": False},
    {"kind": "self_attention", "causal": True, "dropout": 0.25, "bias": False},
    {"kind": "self_attention", "heads": 2},
    {"kind": "self_attention", "heads": 3, "head_size": 5, "causal": True, "dropout": 0.5},
    {"kind": "gru", "units": 3, "bidirectional": True},
    {"kind": "dense", "units": 3},
]

SHAPES = [
    {"kind": "upsampling2d", "mode": "bilinear"},
    {"kind": "zero_padding2d", "padding": [1, 0, 2, 1]},
    {"kind": "group_norm", "groups": 1, "affine": False},
    {"kind": "reshape", "shape": [-1, 6]},
    {"kind": "layer_norm", "bias": False},
    {"kind": "upsampling1d", "mode": "linear"},
    {"kind": "zero_padding1d", "padding": [2, 0]},
    {"kind": "layer_norm", "axes": "all", "affine": False},
    {"kind": "flatten"},
    {"kind": "dense", "units": "classes"},
]


def _source(model: Exported, name: str = "a test") -> str:
    return torch_source(model.network, model.encoder, model.loss, name, "0123abcd")


def _loaded(model: Exported) -> Any:
    """The exported class with the exported weights, as the file's own comment says."""
    from safetensors.torch import load

    made = module_of(_source(model))["Model"]()
    made.load_state_dict(load(to_safetensors(*model.parts(), {})), strict=True)
    return made.eval()


def _assert_equal(model: Exported) -> None:
    torch = pytest.importorskip("torch")
    made = _loaded(model)
    with torch.inference_mode():
        x = torch.from_numpy(model.first)
        outputs = [made(x).numpy(), made.predict(x).numpy()]
    expected = list(model.expected().values())
    for ours, theirs in zip(outputs, [expected[0], expected[-1]], strict=True):
        assert_close(ours, theirs, 1e-5)


@pytest.mark.oracle
@pytest.mark.parametrize(("kind", "case"), all_cases())
def test_that_every_layer_computes_the_same_in_torch(kind: str, case: Case) -> None:
    pytest.importorskip("torch")
    _assert_equal(Exported(network_around(kind, case)))


@pytest.mark.oracle
@settings(deadline=None, max_examples=40)
@given(network=networks())
def test_that_generated_networks_compute_the_same_in_torch(network: Network) -> None:
    pytest.importorskip("torch")
    _assert_equal(Exported(network))


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(4,), (5, 3), (5, 4, 2)])
@pytest.mark.parametrize(("loss", "outputs", "classes"), classifying_losses())
@pytest.mark.parametrize("identity", [True, False])
def test_that_probabilities_come_out_for_every_loss(
    loss: str, outputs: int, classes: tuple[str, ...], shape: tuple[int, ...], identity: bool
) -> None:
    pytest.importorskip("torch")
    layers = [{"kind": "flatten"}, {"kind": "dense", "units": "classes"}]
    encoder = encoder_of(shape, classes=classes, identity=identity)
    _assert_equal(Exported(network_of(layers, shape, outputs), encoder, loss=loss))


@pytest.mark.oracle
@pytest.mark.parametrize("target", [(0.0, 1.0), (-120.5, 30.0)])
def test_that_predictions_come_out_in_the_targets_unit(target: tuple[float, float]) -> None:
    pytest.importorskip("torch")
    layers = [
        {"kind": "dense", "units": 1, "name": "a"},
        {"kind": "dense", "units": 1, "name": "b", "inputs": ["input"]},
        {"kind": "add", "inputs": ["a", "b"]},
    ]
    _assert_equal(Exported(network_of(layers, (4,), 1), encoder_of((4,), target=target)))


ODD_NAMES = [
    "x", "y", "F", "nn", "torch", "self", "inputs", "logits", "class", "lambda", "None", "train", "forward", "predict",
    "normalize", "training", "_parameters", "__init__", "__private", "__class__", "type", "match", "layer_x", "Model",
    "super", "T_destination", "shift", "int", "CLASSES",
]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("name", ODD_NAMES)
def test_that_a_layer_may_have_any_name_that_a_recipe_allows(name: str) -> None:
    pytest.importorskip("torch")
    layers = [
        {"kind": "dense", "units": 4, "name": name},
        {"kind": "dense", "units": 4, "name": "layer_x" if name != "layer_x" else "layer_layer_x"},
        {"kind": "add", "inputs": ["input", name], "name": "sum"},
        {"kind": "concatenate", "inputs": ["sum", name, "layer_x" if name != "layer_x" else "layer_layer_x"]},
        {"kind": "dense", "units": "classes"},
    ]
    _assert_equal(Exported(network_of(layers, (4,))))


@pytest.mark.oracle
def test_that_no_layer_takes_the_place_of_what_a_module_has() -> None:
    torch = pytest.importorskip("torch")
    names = [name for name in dir(torch.nn.Module()) if name.isascii()]
    layers = [{"kind": "dense", "units": 2, "name": name} for name in names]
    network = network_of([*layers, {"kind": "dense", "units": "classes", "name": "end"}], (2,))
    model = Exported(network, encoder_of((2,), classes=("a", "b", "c"), identity=True))
    made = _loaded(model)
    assert [name for name, _ in made.named_children()] == [f"layer_{name}" for name in names] + ["end"]


hostile = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ['"""', "'''", '\\"', "\\", "\n#", '") or exit(', "{x}", "\u202e", "\u2028", "\x00", "é", "名前", "\U0001f600"]
)


@settings(deadline=None, max_examples=80)
@given(name=hostile, classes=st.lists(hostile, min_size=3, max_size=3), long=st.booleans())
def test_that_names_from_data_stay_texts(name: str, classes: list[str], long: bool) -> None:
    given_classes = tuple(text * 20 if long else text for text in classes)
    model = Exported(network_of(CNN, (4, 3, 2)), encoder_of((4, 3, 2), classes=given_classes), rows=1)
    source = _source(model, name)
    lines = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    assigned = {node.targets[0].id: ast.literal_eval(node.value) for node in lines}
    assert assigned == {"NAME": name, "RECIPE": "0123abcd", "CLASSES": given_classes}
    assert all(char == "\n" or char.isprintable() for char in source)


def test_that_the_source_needs_nothing_but_torch() -> None:
    for node in ast.walk(ast.parse(_source(Exported(network_of(CNN, (4, 3, 2)))))):
        if isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] == "torch" for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.module == "torch"


def test_that_the_source_reads_as_a_person_would_write_it() -> None:
    source = _source(Exported(network_of(CNN, (4, 3, 2))), "fashion CNN")
    assert (
        '''
class Model(nn.Module):
    """Reads pictures (N, 2, 4, 3) with pixel values as stored."""

    def __init__(self) -> None:
        super().__init__()
        self.normalize = Normalize(2, 1, 1)
        self.conv = nn.Conv2d(2, 3, (2, 2))
        self.norm = nn.BatchNorm2d(3, eps=1e-05, momentum=0.1)
        self.act = nn.ReLU()
        self.more = nn.Conv2d(3, 3, (3, 3), padding=(1, 1))
        self.end = nn.Linear(36, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, 3)."""
        x = self.normalize(x)
        x = self.conv(F.pad(x, (0, 1, 0, 1)))
        x = self.norm(x)
        act = self.act(x)
        x = self.more(act)
        x = x + act
        x = x.flatten(1)
        return self.end(x)

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        """Probabilities (N, 3) in the order of CLASSES."""
        logits = self(x)
        return logits.softmax(dim=1)
'''
        in source
    )
    assert 'NAME = "fashion CNN"\nRECIPE = "0123abcd"  # SHA-256 of the recipe\nCLASSES = ("a", "b", "c")\n' in source
    assert "model.load_state_dict(load_file(" in source
    assert "model.predict(torch.zeros(1, 2, 4, 3))" in source


def test_that_the_source_of_a_network_on_sequences_reads_as_a_person_would_write_it() -> None:
    layers = [
        {"kind": "batch_norm", "name": "norm"},
        {"kind": "reshape", "shape": [3, -1], "name": "thirds"},
        {"kind": "flatten"},
        {"kind": "dense", "units": "classes", "name": "end"},
    ]
    source = _source(Exported(network_of(layers, (6, 2))))
    assert '"""Reads sequences (N, 2, 6), features before steps, before normalization."""' in source
    assert "self.normalize = Normalize(2, 1)\n        self.norm = nn.BatchNorm1d(2, eps=1e-05, momentum=0.1)" in source
    assert "x = x.movedim(1, -1).reshape(-1, 3, 4).movedim(-1, 1)\n        x = x.flatten(1)" in source
    assert "model.predict(torch.zeros(1, 2, 6))" in source


def test_that_recurrent_layers_read_as_a_person_would_write_them() -> None:
    source = _source(Exported(network_of(SEQUENCES, (4, 3, 2))))
    assert source.count("class SelfAttention(nn.MultiheadAttention):") == 1
    assert "self.lstm_1 = nn.LSTM(6, 8, bias=False, batch_first=True, bidirectional=True)\n" in source
    assert "self.attention_1 = SelfAttention(16, 4, causal=True, dropout=0.25, bias=False)\n" in source
    assert "x = self.lstm_1(x.transpose(1, 2))[0].transpose(1, 2)\n" in source
    assert "x = self.attention_1(x)\n" in source
    assert "self.attention_3 = SizedSelfAttention(16, 3, 5, causal=True, dropout=0.5)\n" in source
    assert "x = self.gru_1(x.transpose(1, 2))[1].transpose(0, 1).flatten(1)\n" in source


def test_that_normalization_that_does_nothing_is_left_out() -> None:
    encoder = encoder_of((4, 3, 2), classes=("a", "b", "c"), identity=True)
    model = Exported(network_of(CNN, (4, 3, 2)), encoder)
    assert "ormalize" not in _source(model)
    assert not any(name.startswith("normalize") for name in model_tensors(*model.parts()))


def test_that_functional_is_imported_where_it_is_used_only() -> None:
    model = Exported(network_of([{"kind": "dense", "units": 3, "name": "F"}, {"kind": "dense", "units": 3}], (4,)))
    assert "functional" not in _source(model)


def test_that_equal_models_give_equal_source() -> None:
    one, other = (_source(Exported(network_of(CNN, (4, 3, 2)))) for _ in range(2))
    assert one == other


@pytest.mark.skipif(not shutil.which("ruff"), reason="needs ruff (the extra `lint`)")
@pytest.mark.parametrize("classes", [("a", "b", "c"), tuple(f"a longer class {number}" for number in range(3))])
@pytest.mark.parametrize("identity", [True, False])
@pytest.mark.parametrize("layers", [CNN, SHAPES, SEQUENCES, [{"kind": "flatten"}, {"kind": "dense", "units": 3}]])
def test_that_the_source_is_formatted(
    tmp_path: Path, classes: tuple[str, ...], identity: bool, layers: list[dict[str, Any]]
) -> None:
    encoder = encoder_of((4, 3, 2), classes=classes * 4, identity=identity)
    path = tmp_path / "model.py"
    path.write_text(_source(Exported(network_of(layers, (4, 3, 2)), encoder)), encoding="utf-8")
    for command in (["format", "--check"], ["check", "--select", "E,F,W,B,UP"]):
        done = subprocess.run(
            ["ruff", command[0], "--isolated", *command[1:], str(path)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.oracle
def test_that_training_goes_on_from_the_exported_weights() -> None:
    torch = pytest.importorskip("torch")
    model = Exported(network_of(CNN, (4, 3, 2)), rows=8)
    made = _loaded(model).train()
    optimizer = torch.optim.SGD(made.parameters(), lr=0.1)
    targets = torch.arange(8) % 3
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(made(torch.from_numpy(model.first)), targets)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    assert np.isfinite(losses).all()
