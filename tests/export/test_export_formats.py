"""Every way a run can leave: each exporter on each shape of run, checked with the programs that will read its files."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.exports import Exported, module_of
from support.finished_runs import all_runs, finished_run, source_of
from support.networks import network_of
from support.small_runs import picture_recipe, table_recipe, write_pictures

from workbench.data.encoder import Encoder, Feature
from workbench.errors import InputError, RunError, StoreError
from workbench.evaluation.predictor import Model, Predictor
from workbench.export.formats.base import Exporter, exporter, exporters
from workbench.export.formats.onnx import checked_onnx
from workbench.export.formats.weights import Npz, Safetensors
from workbench.export.onnx_check import CheckReport, check_onnx
from workbench.export.onnx_graph import export_onnx
from workbench.export.probes import channels_first, expected, extreme, typical
from workbench.recipe.recipe import Recipe
from workbench.session.prepare import prepare
from workbench.store.run_folder import Checkpoint, RunFolder

SHAPES = ("table", "pictures", "regression", "labels")
KINDS = ("html", "npz", "onnx", "pdf", "pytorch", "safetensors")
MODELS = [kind for kind, each in exporters().items() if each.of_model]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return all_runs(tmp_path_factory.mktemp("runs"))


def _exported(folder: Path, kind: str, which: str = "kept") -> bytes:
    with source_of(folder, which) as source:
        return exporter(kind).export(source).data


def _model(folder: Path, which: str = "kept") -> Model:
    return Model.open(folder, which)


def _real_inputs(folder: Path) -> Any:
    """The run's own examples, as its network reads them."""
    with RunFolder.open(folder) as run:
        return prepare(run.recipe, device="cpu", threads=1).dataset.inputs


def test_that_the_formats_are_those_of_the_contract() -> None:
    assert tuple(exporters()) == KINDS
    with pytest.raises(InputError, match=r"there is no export 'doc'.* onnx, pdf"):
        exporter("doc")


@pytest.mark.parametrize("kind", KINDS)
def test_that_each_exporter_says_what_it_is(kind: str) -> None:
    each = exporter(kind)
    assert each.title
    assert each.suffix.startswith(".")
    assert each.about.endswith(".")


def test_that_two_exporters_cannot_have_one_name() -> None:
    with pytest.raises(TypeError, match="two exporters are called 'onnx'"):
        type("Other", (Exporter,), {"kind": "onnx", "export": None})


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_that_each_exporter_gives_equal_checked_bytes_for_equal_runs(
    runs: dict[str, Path], kind: str, shape: str
) -> None:
    with source_of(runs[shape]) as source:
        exported = exporter(kind).export(source)
    assert exported.passed
    assert exported.checked
    assert not exported.checked.endswith(".")
    assert exported.data == _exported(runs[shape], kind)


@pytest.mark.parametrize("shape", SHAPES)
def test_that_the_onnx_model_predicts_the_runs_own_examples(runs: dict[str, Path], shape: str) -> None:
    import onnxruntime

    inputs = _real_inputs(runs[shape])
    session = onnxruntime.InferenceSession(_exported(runs[shape], "onnx"), providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"input": channels_first(inputs)})[-1]
    with Predictor(_model(runs[shape])) as predictor:
        ours = predictor.predict(inputs)
    np.testing.assert_allclose(outputs, ours, atol=1e-5 * np.abs(ours).max())


@pytest.mark.parametrize("shape", SHAPES)
def test_that_weight_files_hold_the_kept_models_numbers(runs: dict[str, Path], shape: str) -> None:
    from safetensors.numpy import load

    model = _model(runs[shape])
    tensors = load(_exported(runs[shape], "safetensors"))
    with np.load(io.BytesIO(_exported(runs[shape], "npz"))) as file:
        for name, array in model.tensors.items():
            assert np.array_equal(tensors[name], array)
            assert np.array_equal(file[name], array)


@pytest.mark.oracle
@pytest.mark.parametrize("shape", SHAPES)
def test_that_the_pytorch_source_takes_the_safetensors_and_predicts_the_same(runs: dict[str, Path], shape: str) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load

    made = module_of(_exported(runs[shape], "pytorch").decode())["Model"]()
    made.load_state_dict(load(_exported(runs[shape], "safetensors")), strict=True)
    inputs = _real_inputs(runs[shape])
    with torch.inference_mode():
        theirs = made.eval().predict(torch.from_numpy(channels_first(inputs))).numpy()
    with Predictor(_model(runs[shape])) as predictor:
        ours = predictor.predict(inputs)
    np.testing.assert_allclose(theirs, ours, atol=1e-5 * np.abs(ours).max())


@pytest.mark.parametrize("kind", MODELS)
def test_that_a_checkpoint_can_be_chosen(runs: dict[str, Path], kind: str) -> None:
    with source_of(runs["pictures"]) as source:
        rows = source.folder.checkpoints()
        kept = source.checkpoint
        assert kept.best
        assert source.metadata["epoch"] == str(kept.epoch)
    by_number = _exported(runs["pictures"], kind, str(kept.number))
    assert by_number == _exported(runs["pictures"], kind) == _exported(runs["pictures"], kind, "best")
    if rows[-1].number != kept.number and kind != "pytorch":
        assert _exported(runs["pictures"], kind, "last") != by_number


def test_that_a_checkpoint_that_does_not_exist_is_refused_with_those_that_do(runs: dict[str, Path]) -> None:
    with source_of(runs["table"]) as source:
        row = source.folder.checkpoints()[-1]
    with (
        pytest.raises(InputError, match=rf"has no checkpoint '77'.*{row.number} \(epoch {row.epoch}\)"),
        source_of(runs["table"], "77"),
    ):
        pass


@pytest.mark.parametrize("kind", MODELS)
def test_that_a_damaged_checkpoint_is_not_replaced_by_another_in_silence(
    runs: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(runs["table"], folder)
    with RunFolder.open(folder, write=True) as run:
        first, tensors = run.checkpoints()[0], run.load("last")
        run.commit([], Checkpoint(tensors.tensors, tensors.facts | {"epoch": 99}))
        last = run.checkpoints()[-1]
    assert first.number != last.number
    file = folder / last.file
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(StoreError, match="is damaged"):
        _exported(folder, kind)


def test_that_an_onnx_file_of_another_model_is_refused(runs: dict[str, Path]) -> None:
    model = _model(runs["table"])
    data = _exported(runs["table"], "onnx")
    assert "gives the same for" in checked_onnx(data, model)
    name = next(name for name in model.tensors if name.endswith(".bias"))
    moved = {**model.tensors, name: model.tensors[name] + np.float32(0.01)}
    other = Model(model.recipe, model.encoder, model.network, moved, model.epoch)
    with pytest.raises(RunError, match=r"did not pass its check.*Nothing was written"):
        checked_onnx(data, other)


@pytest.mark.parametrize("shape", SHAPES)
def test_that_what_is_allowed_is_rounding_and_no_more(runs: dict[str, Path], shape: str) -> None:
    model = _model(runs[shape])
    for inputs in (typical(model.encoder), extreme(model.encoder)):
        values, noise = expected(model, inputs)
        assert 0 < max(noise.values()) < 1e-5
        for name, output in values.items():
            assert output.shape[0] == len(inputs)
            off = {name: output * np.float32(1.001)}
            report = check_onnx(
                _exported(runs[shape], "onnx"), channels_first(inputs), off, {name: 8 * noise[name] + 1e-5}
            )
            assert not report.passed


def test_that_more_rounding_is_allowed_far_from_the_data(
    runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: list[float] = []

    def check(data: bytes, inputs: Any, expected: Any, tolerance: Any) -> CheckReport:
        allowed.append(tolerance["logits"])
        return check_onnx(data, inputs, expected, tolerance)

    monkeypatch.setattr("workbench.export.formats.onnx.check_onnx", check)
    _exported(runs["pictures"], "onnx")
    likely, far, single = allowed
    assert 1e-5 <= likely < 1e-4 <= far < 1e-3
    assert single < 1e-4


def test_that_norms_of_pictures_all_alike_may_magnify_rounding(tmp_path: Path) -> None:
    # A group of one channel: of a picture of one color nothing is left but what rounding did to its mean.
    layers = [{"kind": "group_norm", "groups": 1}, "flatten", {"kind": "dense", "units": "classes"}]
    recipe = picture_recipe(write_pictures(tmp_path), epochs=1).replace("network.layers", layers)
    model = _model(finished_run(recipe, tmp_path / "run"))
    noise = expected(model, extreme(model.encoder))[1]
    assert noise["logits"] > max(expected(model, typical(model.encoder))[1].values())
    data = export_onnx(model.network, model.tensors, model.encoder, model.loss, {})
    assert "gives the same" in checked_onnx(data, model)


def test_that_a_model_with_numbers_that_are_not_finite_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    folder = broken_copy(runs["table"], tmp_path / "broken")
    with pytest.raises(RunError, match="not finite"):
        _exported(folder, "onnx")


def broken_copy(run: Path, folder: Path) -> Path:
    """A run whose last checkpoint holds a NaN."""
    shutil.copytree(run, folder)
    with RunFolder.open(folder, write=True) as opened:
        state = opened.load("last")
        name = next(name for name in state.tensors if name.endswith(".weight"))
        tensors = {**state.tensors, name: np.full_like(state.tensors[name], np.nan)}
        opened.commit([], Checkpoint(tensors, state.facts))
    return folder


@pytest.mark.parametrize("each", [Safetensors(), Npz()], ids=["safetensors", "npz"])
def test_that_weights_are_read_back(runs: dict[str, Path], each: Exporter) -> None:
    with source_of(runs["pictures"]) as source:
        numbers = source.network.parameter_count()
        text = each.export(source).checked
    assert text.startswith("read back: ")
    assert text.endswith("all equal")
    # Running statistics and the normalization leave too.
    assert int(text.split(",", 1)[1].split(" numbers")[0].replace(",", "")) > numbers


@pytest.mark.parametrize("kind", MODELS)
def test_that_a_run_without_a_model_says_so(kind: str, tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "empty", table_recipe(tmp_path / "none.csv")):
        pass
    with pytest.raises(StoreError, match="Train it first"):
        _exported(tmp_path / "empty", kind)


@st.composite
def encoders(draw: st.DrawFn) -> Encoder:
    """Encoders of tables with number and category columns in any order."""
    widths = draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
    features = tuple(
        Feature(f"c{at}", "category", 0.0, tuple(f"v{k}" for k in range(width)))
        if width
        else Feature(f"n{at}", "number")
        for at, width in enumerate(widths)
    )
    size = sum(feature.width for feature in features)
    shift = np.array(draw(st.lists(st.floats(-1e3, 1e3), min_size=size, max_size=size)), np.float32)
    scale = np.array(draw(st.lists(st.sampled_from([0.0, 1e-3, 1.0, 50.0]), min_size=size, max_size=size)), np.float32)
    return Encoder("classification", "y", ("a", "b"), features, (size,), shift, scale)


@settings(deadline=None, max_examples=60)
@given(encoder=encoders())
def test_that_probes_look_like_encoded_examples(encoder: Encoder) -> None:
    for inputs in (typical(encoder), extreme(encoder)):
        assert inputs.dtype == np.float32
        assert inputs.shape[1:] == encoder.input_shape
        assert np.isfinite(inputs).all()
        place = 0
        for feature in encoder.features:
            block = inputs[:, place : place + feature.width]
            if feature.type == "category":
                assert set(np.unique(block)) <= {0.0, 1.0}
                assert (block.sum(axis=1) <= 1).all()
            place += feature.width


@pytest.mark.parametrize(("pixels", "most"), [("uint8", 255), ("float32", 3.0)])
def test_that_probes_of_pictures_fill_the_range_of_their_pixels(pixels: str, most: float) -> None:
    encoder = Encoder(
        "classification", "y", ("a", "b"), (), (6, 5, 2), np.float32([1, 1]), np.float32([1, 1]), pixels=pixels
    )
    pictures, far = typical(encoder), extreme(encoder)
    assert pictures.dtype == far.dtype == np.dtype(pixels)
    assert pictures.shape[1:] == far.shape[1:] == (6, 5, 2)
    assert pictures.max() <= most
    assert far.max() == most
    assert len(np.unique(pictures)) > 100
    assert channels_first(pictures).shape[1:] == (2, 6, 5)


def test_that_probes_of_sequences_lie_about_the_mean_of_each_feature() -> None:
    shift, scale = np.float32([100, -5]), np.float32([0.1, 2])
    encoder = Encoder("classification", "y", ("a", "b"), (), (7, 2), shift, scale)
    likely, far = typical(encoder), extreme(encoder)
    assert likely.dtype == far.dtype == np.float32
    assert likely.shape[1:] == far.shape[1:] == (7, 2)
    for inputs in (likely, far[:2]):
        assert np.abs((inputs - shift) * scale).max() <= 2.001
    assert channels_first(likely).shape[1:] == (2, 7)


def test_that_a_model_on_sequences_passes_its_check() -> None:
    layers = [
        {"kind": "batch_norm"},
        {"kind": "reshape", "shape": [-1, 4]},
        {"kind": "flatten"},
        {"kind": "dense", "units": "classes"},
    ]
    made = Exported(network_of(layers, (6, 2)))
    recipe = Recipe.parse({"training": {"loss": "cross_entropy"}})
    model = Model(recipe, made.encoder, made.network, made.tensors, 1)
    assert "gives the same for" in checked_onnx(export_onnx(*made.parts(), made.loss, {}), model)
