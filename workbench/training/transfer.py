"""Transfer learning: which of a network's tensors other weights can fill, by name and by shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.engine.backend import Shape
from workbench.engine.network import Network
from workbench.engine.parameters import Layout, Slot
from workbench.errors import InputError, Problem, RecipeError
from workbench.recipe.training import StartFrom
from workbench.store.names import NORMALIZE, module_names, shown
from workbench.store.tensors import Tensors
from workbench.training.rearranged import put_back

_NO_WEIGHTS = {f"{NORMALIZE}.shift", f"{NORMALIZE}.scale", "prediction.shift", "prediction.scale"}
"""What our own exports hold beside weights: normalization is of the data, and made anew for other data."""
_LISTED = 4


@dataclass(frozen=True, eq=False)
class Transfer:
    """What becomes of each tensor.

    Attributes:
        tensors: what is taken over, by its name here, float32.
        differs: tensors of another shape by name: the shape here, the shape there.
        absent: the network's tensors that are not there.
        unused: what is there and not in the network.
        left_out: how many of the network's tensors were not asked for.
        layers: the layers with weights of which every tensor was taken.
    """

    tensors: Tensors
    differs: Mapping[str, tuple[Shape, Shape]]
    absent: tuple[str, ...]
    unused: tuple[str, ...]
    left_out: int
    layers: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many tensors the network has."""
        return len(self.tensors) + len(self.differs) + len(self.absent) + self.left_out


def transfer(network: Network, there: Tensors, spec: StartFrom) -> Transfer:
    """Match other weights with a network's by name, and by shape in the ecosystem's layout.

    A layer is looked for under the name that ``spec.rename`` gives it, else under its own, else under the one that an
    export gives it (``layer_eval`` for ``eval``). What our ONNX files hold in another arrangement is put back.

    Args:
        network: what is to be filled.
        there: float32 arrays by the names they have there.
        spec: which layers, and what they are called there.

    Raises:
        RecipeError: ``spec`` names a layer that the network does not have.
        InputError: nothing matches, or what would be taken holds numbers that are not finite.
    """
    _check_names(network, spec)
    slots, exported = Layout(network).in_order, module_names(network)
    wanted = [slot for slot in slots if _is_wanted(slot.layer, spec.layers)]
    back = put_back(network, there, spec.rename)
    given, there = there, {**there, **back.tensors}
    found = {slot.name: _found(slot, there, spec.rename, exported) or back.misfits.get(slot.name, "") for slot in slots}
    fits = {slot.name for slot in wanted if slot.name in _present(found) and _fits(slot, there[found[slot.name]])}
    if not fits:
        raise _nothing(wanted, given, found)
    tensors = {slot.name: there[found[slot.name]].reshape(slot.outer_shape) for slot in slots if slot.name in fits}
    _check_finite(tensors)
    differs = {
        slot.name: (slot.outer_shape, there[found[slot.name]].shape)
        for slot in wanted
        if found[slot.name] and slot.name not in fits
    }
    return Transfer(
        tensors,
        differs,
        tuple(slot.name for slot in wanted if not found[slot.name]),
        tuple(sorted(set(given) - set(found.values()) - back.sources - _NO_WEIGHTS)),
        len(slots) - len(wanted),
        _whole_layers(slots, fits),
    )


def _present(found: Mapping[str, str]) -> set[str]:
    return {name for name, other in found.items() if other}


def _check_names(network: Network, spec: StartFrom) -> None:
    names = [node.name for node in network.nodes]
    problems = [
        Problem(f"no layer is called {pattern!r}", "training.start_from.layers", f"There are {', '.join(names)}.")
        for pattern in spec.layers
        if not any(_is_wanted(name, (pattern,)) for name in names)
    ]
    problems += [
        Problem(f"no layer is called {name!r}", "training.start_from.rename", f"There are {', '.join(names)}.")
        for name in spec.rename
        if name not in names
    ]
    if problems:
        raise RecipeError.of(problems)


def _is_wanted(layer: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(
        layer.startswith(pattern[:-1]) if pattern.endswith("*") else layer == pattern for pattern in patterns
    )


def _found(slot: Slot, there: Tensors, rename: Mapping[str, str], exported: Mapping[str, str]) -> str:
    """What the tensor is called there; empty where it is not."""
    layers = [rename[slot.layer]] if slot.layer in rename else [slot.layer, exported[slot.layer]]
    names = [f"{layer}.{slot.parameter.name}" for layer in layers]
    return next((name for name in names if name in there), "")


def _fits(slot: Slot, array: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bool:
    # Windows of one step or pixel are no axes that matter.
    own, windows = array.shape[: len(slot.outer_shape)], array.shape[len(slot.outer_shape) :]
    return own == slot.outer_shape and set(windows) <= {1}


def _whole_layers(slots: Iterable[Slot], taken: set[str]) -> tuple[str, ...]:
    lacking = {slot.layer for slot in slots if slot.name not in taken}
    return tuple(dict.fromkeys(slot.layer for slot in slots if slot.layer not in lacking))


def _check_finite(tensors: Tensors) -> None:
    wrong = [name for name, array in tensors.items() if not np.isfinite(array).all()]
    if wrong:
        raise InputError(f"holds numbers that are not finite: {_listed(wrong)}")


def _nothing(wanted: Sequence[Slot], there: Tensors, found: Mapping[str, str]) -> InputError:
    here = _listed([f"{slot.name} {_sizes(slot.outer_shape)}" for slot in wanted])
    held = _listed([f"{name} {_sizes(array.shape)}" for name, array in there.items()])
    alike = any(found[slot.name] for slot in wanted)
    why = "the shapes differ" if alike else "no name is the same"
    return InputError(
        f"holds nothing that the network could begin with: {why}. Here: {here or 'no weights'}; there: {held}",
        mend="" if alike else "Name the layers alike, or say what they are called there: training.start_from.rename.",
    )


def _sizes(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "a number"


def _listed(names: Sequence[str]) -> str:
    first = ", ".join(shown(name) for name in names[:_LISTED])
    return first if len(names) <= _LISTED else f"{first} and {len(names) - _LISTED} more"
