"""Example configurations of each kind of layer: what the conformance tests of layers and exports run over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from workbench.engine.backend import Shape
from workbench.engine.layer import Layer, ShapeError
from workbench.recipe.kinds import LayerSpec


@dataclass(frozen=True)
class Case:
    """A layer's fields and the shapes of what it reads."""

    fields: dict[str, Any]
    inputs: tuple[Shape, ...]

    def layer(self, kind: str, **more: Any) -> Layer:
        """The layer, called ``layer``."""
        made = LayerSpec.kinds()[kind].model_validate({"name": "layer", **self.fields, **more})
        assert isinstance(made, Layer)
        return made


def whole_numbers(layer: Any, shape: tuple[int, ...], numbers: Any) -> Any:
    """What a layer looks up, now and then a number that it does not have: whole, float64 ``shape``."""
    return numbers.integers(-1, layer.vocabulary + 1, shape).astype(float)


def _of(*inputs: Shape, **fields: Any) -> Case:
    return Case(fields, inputs)


_RECURRENT = (
    _of((5, 3), units=4),
    _of((5, 3), units=4, sequences=True),
    _of((4, 2), units=3, bidirectional=True),
    _of((4, 2), units=3, sequences=True, bidirectional=True),
    _of((4, 2), units=3, bias=False),
    _of((3, 1), units=2, sequences=True, bidirectional=True, bias=False),
    _of((1, 4), units=1),
)

CASES: dict[str, tuple[Case, ...]] = {
    "activation": (
        *(
            _of((7,), function=name)
            for name in ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus", "linear")
        ),
        _of((3, 4, 2), function="relu"),
        _of((3, 4, 2), function="gelu"),
        _of((5, 3), function="silu"),
        _of((7,), function="leaky_relu", slope=0.3),
        _of((7,), function="elu", alpha=0.4),
    ),
    "add": (_of((6,), (6,)), _of((4, 3, 2), (4, 3, 2)), _of((5, 3), (5, 3)), _of((5,), (5,), (5,), (5,))),
    "average_pool2d": (
        _of((6, 7, 3), window=3, stride=2, padding=1),
        _of((5, 6, 2), window=2, stride=1, padding="same"),
        _of((5, 6, 2), window=[3, 2], padding=[2, 1]),
        _of((5, 7, 16)),
        _of((6, 6, 3)),
        _of((5, 7, 2)),
        _of((6, 5, 2), window=3, stride=1),
        _of((6, 6, 2), window=[1, 3], stride=[2, 1]),
        _of((7, 7, 2), window=2, stride=3),
    ),
    "average_pool1d": (
        _of((6, 3)),
        _of((7, 2), window=3, stride=2),
        _of((6, 2), window=3, stride=2, padding="same"),
    ),
    "batch_norm": (
        _of((6,)),
        _of((4, 3, 5)),
        _of((5, 3)),
        _of((1, 4)),
        _of((6,), momentum=0.3, epsilon=1e-2),
        _of((4, 3, 5), momentum=1.0, epsilon=1e-3),
    ),
    "concatenate": (_of((3,), (5,)), _of((4, 3, 2), (4, 3, 1)), _of((5, 3), (5, 2)), _of((2,), (2,), (4,))),
    "conv2d": (
        _of((6, 6, 3), filters=4),
        _of((5, 6, 1), filters=1, kernel=1),
        _of((6, 7, 2), filters=3, kernel=[3, 2], padding="valid"),
        _of((6, 7, 2), filters=3, kernel=4, padding="same"),
        _of((7, 6, 2), filters=3, kernel=3, stride=2, padding="same"),
        _of((7, 6, 2), filters=3, kernel=3, stride=[1, 2], padding=[2, 1], bias=False),
        _of((5, 5, 2), filters=2, kernel=2, stride=3, padding="same"),
        _of((5, 4, 2), filters=2, kernel=1, stride=2, padding=2),
        _of((3, 3, 2), filters=2, kernel=5, padding="same"),
        _of((7, 8, 3), filters=20, kernel=3, dilation=2),
        _of((7, 6, 2), filters=33, kernel=[2, 3], dilation=[1, 2], stride=2, padding=[1, 2]),
        _of((5, 17, 4), filters=6, kernel=3, groups=2, dilation=[2, 1]),
        _of((6, 6, 6), filters=6, kernel=3, stride=2, groups=3, padding="valid"),
        _of((4, 5, 18), filters=40, kernel=1),
    ),
    "conv1d": (
        _of((8, 3), filters=4),
        _of((7, 2), filters=3, kernel=4, stride=2, padding="valid", bias=False),
        _of((9, 2), filters=3, kernel=3, dilation=2, padding="causal"),
        _of((6, 4), filters=6, kernel=2, padding=2, groups=2),
    ),
    "dense": (
        _of((7,), units=5),
        _of((4,), units=1),
        _of((1,), units=3, bias=False),
        _of((5, 3), units=4),
        _of((6, 1), units=2, bias=False),
        _of((1, 4), units=19),
        _of((3, 4, 2), units=3),
    ),
    "depthwise_conv2d": (
        _of((6, 6, 3)),
        _of((5, 6, 2), multiplier=3, kernel=[3, 2], padding="valid"),
        _of((7, 6, 2), multiplier=2, stride=[1, 2], padding=[2, 1], bias=False),
        _of((5, 5, 1), kernel=2, stride=3),
        _of((4, 5, 2), multiplier=2, kernel=1),
        _of((7, 6, 37), dilation=2),
        _of((6, 7, 9), multiplier=4, kernel=[2, 5], dilation=[2, 1], stride=2),
        _of((3, 17, 16), kernel=[1, 9], padding=0),
        _of((3, 3, 2), kernel=5, stride=2, padding=2),
    ),
    "dropout": (_of((7,), rate=0.4), _of((3, 4, 2), rate=0.5), _of((5, 3), rate=0.3), _of((7,), rate=0.0)),
    "embedding": (
        _of((4,), vocabulary=6, dimension=3),
        _of((1,), vocabulary=9, dimension=1),
        _of((5,), vocabulary=1, dimension=2),
        _of((6,), vocabulary=5, dimension=4, padding_index=2),
        _of((6,), vocabulary=4, dimension=2, padding_index=0, initializer="uniform", deviation=0.1),
    ),
    "flatten": (_of((3, 4, 2)), _of((5,)), _of((1, 1, 3)), _of((5, 3)), _of((4, 1))),
    "global_average_pool1d": (_of((5, 3)), _of((1, 2))),
    "global_average_pool2d": (_of((4, 5, 3)), _of((1, 1, 2))),
    "global_max_pool1d": (_of((5, 3)), _of((1, 2)), _of((9, 17))),
    "global_max_pool2d": (_of((4, 5, 3)), _of((1, 1, 2)), _of((3, 6, 16))),
    "group_norm": (
        _of((8,), groups=2),
        _of((5, 6), groups=3),
        _of((5, 6), groups=1, epsilon=1e-2),
        _of((5, 3), groups=3),
        _of((3, 4, 8)),
        _of((1, 1, 15), groups=3),
        _of((4, 3, 6), groups=6, affine=False),
    ),
    "gru": _RECURRENT,
    "layer_norm": (
        _of((7,)),
        _of((7,), axes="all", epsilon=1e-2),
        _of((5, 6)),
        _of((5, 3), axes="all"),
        _of((5, 1), axes="all", bias=False),
        _of((1, 4), affine=False),
        _of((3, 4, 6)),
        _of((3, 4, 2), axes="all"),
        _of((3, 4, 2), axes="all", affine=False),
        _of((4, 3, 5), bias=False),
    ),
    "lstm": (*_RECURRENT, _of((3, 2), units=3, forget_bias=-0.5)),
    "max_pool1d": (
        _of((6, 3)),
        _of((7, 2), window=3, stride=2),
        _of((7, 2), window=3, stride=1, padding="same"),
        _of((6, 2), window=4, stride=2, padding=2),
    ),
    "max_pool2d": (
        _of((6, 7, 3), window=3, stride=2, padding=1),
        _of((5, 6, 2), window=2, stride=1, padding="same"),
        _of((5, 6, 2), window=[3, 2], padding=[2, 1]),
        _of((6, 6, 3)),
        _of((5, 7, 2)),
        _of((6, 5, 2), window=3, stride=1),
        _of((6, 6, 2), window=[1, 3], stride=[2, 1]),
        _of((5, 7, 16)),
        _of((7, 7, 2), window=2, stride=3),
    ),
    "reshape": (
        _of((6,)),
        _of((12,), shape=[4, 3]),
        _of((12,), shape=[-1]),
        _of((24,), shape=[2, -1, 3]),
        _of((5, 3), shape=[15]),
        _of((4, 3), shape=[3, 4]),
        _of((6, 1), shape=[1, -1]),
        _of((6, 4), shape=[2, 3, 4]),
        _of((3, 4, 2), shape=[-1, 2]),
        _of((3, 4, 2), shape=[4, 3, 2]),
        _of((3, 4, 2), shape=[24]),
        _of((3, 4, 1), shape=[12, 1]),
        _of((1, 1, 6), shape=[3, 2]),
    ),
    "self_attention": (
        _of((5, 4), heads=2),
        _of((4, 6), heads=3, causal=True),
        _of((5, 3), heads=1, bias=False),
        _of((3, 4), heads=4, causal=True, bias=False),
        _of((5, 4), heads=2, dropout=0.3),
        _of((5, 3), heads=2, head_size=4, causal=True),
        _of((4, 6), heads=3, head_size=1, bias=False),
        _of((4, 6), heads=3, head_size=2),
        _of((1, 2), heads=1),
        _of((18, 10), heads=2, causal=True, dropout=0.2),
    ),
    "simple_rnn": (
        *_RECURRENT,
        _of((5, 3), units=4, nonlinearity="relu", sequences=True, bidirectional=True),
        _of((4, 2), units=3, nonlinearity="relu", bias=False),
    ),
    "upsampling1d": (
        _of((5, 3)),
        _of((5, 3), mode="linear"),
        _of((4, 1), factor=3, mode="linear"),
        _of((1, 2), factor=4, mode="linear"),
        _of((6, 2), factor=5),
        _of((6, 2), factor=1),
    ),
    "upsampling2d": (
        _of((3, 4, 2)),
        _of((3, 4, 2), mode="bilinear"),
        _of((5, 3, 1), factor=[3, 2], mode="bilinear"),
        _of((1, 4, 3), factor=[1, 4], mode="bilinear"),
        _of((4, 1, 3), factor=[3, 1]),
        _of((2, 3, 2), factor=1),
    ),
    "zero_padding1d": (_of((5, 3)), _of((4, 2), padding=[2, 0]), _of((1, 1), padding=[0, 3]), _of((3, 2), padding=0)),
    "zero_padding2d": (
        _of((3, 4, 2)),
        _of((3, 4, 1), padding=[2, 1]),
        _of((1, 3, 2), padding=[0, 1, 2, 3]),
        _of((4, 3, 2), padding=[1, 0, 0, 0]),
        _of((3, 4, 2), padding=0),
    ),
}


def cases_of(kind: str) -> tuple[Case, ...]:
    """The configurations of a kind; of one that has none here, its defaults on whatever it reads."""
    return CASES.get(kind) or tuple(_defaults(kind))


def _defaults(kind: str) -> Iterator[Case]:
    layer = cast(type[Layer], LayerSpec.kinds()[kind])
    needed = {name: 4 for name, field in layer.model_fields.items() if field.is_required()}
    for shape in ((8,), (5, 4), (4, 6, 8)):
        case = Case(needed, (shape,) * layer.least_inputs)
        with contextlib.suppress(ShapeError):
            case.layer(kind).output_shape(case.inputs)
            yield case


def all_cases(fits: Callable[[Layer, tuple[Shape, ...]], bool] = lambda layer, shapes: True) -> list[Any]:
    """Every (kind, case) whose layer fits, as parameters of a test."""
    import pytest

    return [
        pytest.param(kind, case, id=f"{kind}-{number}")
        for kind in LayerSpec.kinds()
        for number, case in enumerate(cases_of(kind))
        if fits(case.layer(kind), case.inputs)
    ]
