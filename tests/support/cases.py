"""Example configurations of each kind of layer: what the conformance tests of layers and exports run over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workbench.engine.backend import Shape
from workbench.engine.layer import Layer
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


def _of(*inputs: Shape, **fields: Any) -> Case:
    return Case(fields, inputs)


CASES: dict[str, tuple[Case, ...]] = {
    "activation": (
        *(
            _of((7,), function=name)
            for name in ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus", "linear")
        ),
        _of((3, 4, 2), function="relu"),
        _of((3, 4, 2), function="gelu"),
        _of((7,), function="leaky_relu", slope=0.3),
        _of((7,), function="elu", alpha=0.4),
    ),
    "add": (_of((6,), (6,)), _of((4, 3, 2), (4, 3, 2)), _of((5,), (5,), (5,), (5,))),
    "average_pool2d": (
        _of((6, 7, 3), window=3, stride=2, padding=1),
        _of((5, 6, 2), window=2, stride=1, padding="same"),
        _of((5, 6, 2), window=[3, 2], padding=[2, 1]),
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
        _of((6,), momentum=0.3, epsilon=1e-2),
        _of((4, 3, 5), momentum=1.0, epsilon=1e-3),
    ),
    "concatenate": (_of((3,), (5,)), _of((4, 3, 2), (4, 3, 1)), _of((2,), (2,), (4,))),
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
    "dense": (_of((7,), units=5), _of((4,), units=1), _of((1,), units=3, bias=False)),
    "dropout": (_of((7,), rate=0.4), _of((3, 4, 2), rate=0.5), _of((7,), rate=0.0)),
    "global_average_pool1d": (_of((5, 3)), _of((1, 2))),
    "flatten": (_of((3, 4, 2)), _of((5,)), _of((1, 1, 3))),
    "global_average_pool2d": (_of((4, 5, 3)), _of((1, 1, 2))),
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
        _of((7, 7, 2), window=2, stride=3),
    ),
}


def all_cases(fits: Callable[[Layer, tuple[Shape, ...]], bool] = lambda layer, shapes: True) -> list[Any]:
    """Every (kind, case) whose layer fits, as parameters of a test."""
    import pytest

    return [
        pytest.param(kind, case, id=f"{kind}-{number}")
        for kind, cases in sorted(CASES.items())
        for number, case in enumerate(cases)
        if fits(case.layer(kind), case.inputs)
    ]
