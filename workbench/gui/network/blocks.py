"""Layers that go together, and whole small networks to start from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.engine.backend import Shape
from workbench.recipe.kinds import LayerSpec
from workbench.recipe.network import INPUT

Tree = dict[str, Any]
PICTURES = (3,)
PLACES = (2, 3)


@dataclass(frozen=True)
class Place:
    """Where a block is put in.

    Attributes:
        before: the name of the layer before it, or ``input``.
        shape: what that one gives; None where it is not known.
    """

    before: str = INPUT
    shape: Shape | None = None

    def width(self, default: int) -> int:
        """Channels or features of what comes in."""
        return self.shape[-1] if self.shape else default

    def axes(self) -> int:
        """Along how many axes convolutions and pooling go: 1 for sequences, 2 for pictures and what is not known."""
        return 1 if self.shape is not None and len(self.shape) == 2 else 2


@dataclass(frozen=True)
class Block:
    """A named group of layers.

    Attributes:
        key: never shown.
        title, about: its name and what it is for.
        build: its layers for a place; the names that they give each other are made unique when they are put in.
        ranks: for what it is: 1 for vectors, 2 for sequences, 3 for pictures; empty for all.
    """

    key: str
    title: str
    about: str
    build: Callable[[Place], list[Tree]]
    ranks: tuple[int, ...] = ()

    def layers(self, place: Place) -> list[LayerSpec]:
        """The layers as specs."""
        return [LayerSpec.model_validate(tree) for tree in self.build(place)]


def _conv(filters: int, *, bias: bool = True, **fields: Any) -> Tree:
    return {"kind": "conv2d", "filters": filters, "kernel": 3, "bias": bias, **fields}


def _relu() -> Tree:
    return {"kind": "activation", "function": "relu"}


def _dense(units: int | str) -> Tree:
    return {"kind": "dense", "units": units}


def _normed(place: Place, filters: int) -> list[Tree]:
    """A convolution whose answers are kept in size; the norm has the shift that its bias would be."""
    return [_conv(filters, bias=False, kind=f"conv{place.axes()}d"), {"kind": "batch_norm"}]


def _conv_norm(place: Place) -> list[Tree]:
    return [*_normed(place, 32), _relu()]


def _plain(place: Place) -> list[Tree]:
    start = [{"kind": "flatten"}] if place.shape is not None and len(place.shape) > 1 else []
    return [*start, _dense(128), _relu(), _dense(64), _relu()]


def _residual(place: Place) -> list[Tree]:
    width = min(place.width(32), 4096)
    if place.shape is not None and len(place.shape) == 1:
        body = [_dense(width), _relu(), {**_dense(width), "name": "@branch"}]
    else:
        *last, norm = _normed(place, width)
        body = [*_normed(place, width), _relu(), *last, {**norm, "name": "@branch"}]
    return [*body, {"kind": "add", "inputs": ["@branch", place.before]}, _relu()]


def _sequence(shape: Shape | None) -> list[Tree]:
    """What makes a sequence of other data: a picture is read row by row, a vector value by value."""
    if shape is None or len(shape) == 2:
        return []
    sizes = [shape[0], shape[1] * shape[2]] if len(shape) == 3 else [shape[0], 1]
    return [{"kind": "reshape", "shape": sizes, "name": "@sequence"}]


def _lstm(units: int, **fields: Any) -> Tree:
    return {"kind": "lstm", "units": units, **fields}


def _attention(place: Place) -> list[Tree]:
    start = _sequence(place.shape)
    features = start[0]["shape"][-1] if start else place.width(64)
    heads = max(heads for heads in (1, 2, 4) if features % heads == 0)
    return [
        *start,
        # Of a single value a norm would leave nothing.
        *([{"kind": "layer_norm"}] if features > 1 else []),
        {"kind": "self_attention", "heads": heads, "name": "@branch"},
        {"kind": "add", "inputs": ["@branch", "@sequence" if start else place.before]},
    ]


BLOCKS: tuple[Block, ...] = (
    Block(
        "conv",
        "convolution, activation",
        "The smallest step of a network for pictures and sequences.",
        lambda place: [_conv(32, kind=f"conv{place.axes()}d"), _relu()],
        ranks=PLACES,
    ),
    Block(
        "conv-norm",
        "convolution, norm, activation",
        "Looks for patterns; the norm keeps training steady.",
        _conv_norm,
        ranks=PLACES,
    ),
    Block(
        "conv-norm-pool",
        "convolution, norm, activation, pool",
        "Looks for patterns and halves the picture or sequence; the norm keeps training steady.",
        lambda place: [*_conv_norm(place), {"kind": f"max_pool{place.axes()}d", "window": 2}],
        ranks=PLACES,
    ),
    Block("mlp", "plain layers (MLP)", "Two hidden layers, each of dense and activation.", _plain),
    Block("dense", "dense, activation", "One hidden layer of a plain network.", lambda place: [_dense(128), _relu()]),
    Block(
        "dense-dropout",
        "dense, activation, dropout",
        "A hidden layer that is kept from learning by heart.",
        lambda place: [_dense(128), _relu(), {"kind": "dropout", "rate": 0.3}],
    ),
    Block(
        "residual",
        "residual block",
        "Layers with a way around them, joined by add: for deep networks.",
        _residual,
    ),
    Block(
        "lstm",
        "LSTM, dropout",
        "Reads a sequence step by step, or a picture row by row, and keeps what it has come to.",
        lambda place: [*_sequence(place.shape), _lstm(64), {"kind": "dropout", "rate": 0.3}],
    ),
    Block(
        "attention",
        "self-attention with a way around it",
        "Each step reads all others; the way around it and the norm keep deep networks trainable.",
        _attention,
    ),
)


def _pools(shape: Shape | None, most: int) -> int:
    """How often a picture can be halved so that at least 3 pixels are left."""
    if shape is None:
        return most
    side, count = min(shape[0], shape[1]), 0
    while count < most and side // 2 >= 3:
        side, count = side // 2, count + 1
    return count


def _mlp(shape: Shape | None) -> list[Tree]:
    start = [{"kind": "flatten"}] if shape is not None and len(shape) > 1 else []
    return [*start, _dense(128), _relu(), _dense(64), _relu(), _dense("classes")]


def _cnn(shape: Shape | None) -> list[Tree]:
    layers: list[Tree] = []
    for number in range(max(1, _pools(shape, 2))):
        layers += [_conv(32 * 2**number), _relu()]
        layers += [{"kind": "max_pool2d"}] if number < _pools(shape, 2) else []
    return [*layers, {"kind": "flatten"}, _dense(128), _relu(), _dense("classes")]


def _cnn_norm(shape: Shape | None) -> list[Tree]:
    layers: list[Tree] = []
    for number in range(max(1, _pools(shape, 2))):
        layers += [_conv(32 * 2**number, bias=False), {"kind": "batch_norm"}, _relu()]
        layers += [{"kind": "max_pool2d"}] if number < _pools(shape, 2) else []
    head = [{"kind": "flatten"}, _dense(128), _relu(), {"kind": "dropout", "rate": 0.3}]
    return [*layers, *head, _dense("classes")]


def _residual_cnn(shape: Shape | None) -> list[Tree]:
    layers: list[Tree] = [_conv(16, bias=False), {"kind": "batch_norm"}, {**_relu(), "name": "@start"}]
    before = "@start"
    for number, width in enumerate((16, 32)[: 1 + min(1, _pools(shape, 1))]):
        if number:
            down = f"@down_{number}"
            layers.append(_conv(width, stride=2, name=down))
            before = down
        layers += [
            _conv(width, bias=False),
            {"kind": "batch_norm"},
            _relu(),
            _conv(width, bias=False),
            {"kind": "batch_norm", "name": f"@branch_{number + 1}"},
            {"kind": "add", "inputs": [f"@branch_{number + 1}", before]},
            {**_relu(), "name": f"@out_{number + 1}"},
        ]
        before = f"@out_{number + 1}"
    return [*layers, {"kind": "global_average_pool2d"}, _dense("classes")]


def _recurrent(shape: Shape | None) -> list[Tree]:
    return [*_sequence(shape), _lstm(128), _dense("classes")]


@dataclass(frozen=True)
class Preset:
    """A whole network to start from."""

    key: str
    title: str
    about: str
    build: Callable[[Shape | None], list[Tree]]
    ranks: tuple[int, ...] = ()

    def layers(self, shape: Shape | None) -> list[LayerSpec]:
        """The layers for examples of a shape."""
        return [LayerSpec.model_validate(tree) for tree in self.build(shape)]


PRESETS: tuple[Preset, ...] = (
    Preset("mlp", "plain network (MLP)", "Two hidden dense layers: for tables, and as a baseline for pictures.", _mlp),
    Preset("cnn", "small CNN", "Two convolutions with pooling, then a dense layer.", _cnn, ranks=PICTURES),
    Preset(
        "cnn-norm",
        "CNN with batch norm",
        "As the small CNN, steadier in training, with dropout before the end.",
        _cnn_norm,
        ranks=PICTURES,
    ),
    Preset(
        "residual",
        "small residual CNN",
        "Blocks with a way around them, joined by add; few parameters.",
        _residual_cnn,
        ranks=PICTURES,
    ),
    Preset(
        "recurrent",
        "recurrent network (LSTM)",
        "Reads a sequence step by step, or a picture row by row, and answers after the last.",
        _recurrent,
        ranks=(2, 3),
    ),
)


def fits(ranks: tuple[int, ...], shape: Shape | None) -> bool:
    """Whether a block or preset suits what comes in; what is not known is given a chance."""
    return not ranks or shape is None or len(shape) in ranks


def by_key(items: Sequence[Any], key: str) -> Any:
    """The block or preset of a key."""
    return next(item for item in items if item.key == key)
