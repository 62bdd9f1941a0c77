"""What can be added to a network, as entries of a list to choose from."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QCoreApplication

from workbench.engine.backend import Shape
from workbench.engine.layer import Layer
from workbench.gui.network.blocks import BLOCKS, PRESETS, fits
from workbench.gui.widgets.choice_popup import Choice
from workbench.recipe.fields import facts
from workbench.recipe.kinds import LayerSpec

_GROUPS = {
    "weights": "Weights",
    "activation": "Activation",
    "norm": "Normalization",
    "shape": "Pooling and shape",
    "regularization": "Regularization",
    "merge": "Joining branches",
}


def layer_choices() -> list[Choice]:
    """Every registered kind of layer under what it is for; activations by function."""
    kinds = [cast(type[Layer], kind) for kind in LayerSpec.kinds().values()]
    order = list(_GROUPS)
    kinds.sort(key=lambda kind: (order.index(kind.role) if kind.role in order else len(order), kind.human_name()))
    return [choice for kind in kinds for choice in _choices_of(kind)]


def _choices_of(kind: type[Layer]) -> list[Choice]:
    group = _tr(_GROUPS.get(kind.role, kind.role.title()))
    functions = facts(kind).get("function")
    if functions is None or not functions.choices:
        return [Choice(kind.kind, _tr(kind.human_name()), _tr(kind.about), group)]
    return [
        Choice(f"{kind.kind}:{name}", str(name).replace("_", " "), _tr(kind.about) if not number else "", group)
        for number, name in enumerate(functions.choices)
    ]


def spec_of(key: str) -> LayerSpec:
    """The layer of an entry, with its defaults."""
    kind, _, function = key.partition(":")
    tree: dict[str, object] = {"kind": kind}
    model = LayerSpec.kinds()[kind]
    if function:
        tree["function"] = function
    for name, field in model.model_fields.items():
        if field.is_required():
            tree[name] = 64
    return LayerSpec.model_validate(tree)


def block_choices(shape: Shape | None) -> list[Choice]:
    """Blocks; those for other data cannot be taken."""
    return [Choice(one.key, _tr(one.title), _tr(one.about), enabled=fits(one.ranks, shape)) for one in BLOCKS]


def preset_choices(shape: Shape | None) -> list[Choice]:
    """Whole networks; those for other data cannot be taken."""
    return [Choice(one.key, _tr(one.title), _tr(one.about), enabled=fits(one.ranks, shape)) for one in PRESETS]


def _tr(text: str) -> str:
    return QCoreApplication.translate("network", text) if text else ""
