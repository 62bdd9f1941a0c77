"""Kinds: what registers itself by being a subclass with a ``kind``, in the file of its implementation.

A base (layers, losses, optimizers, schedules, augmentations) names the package its kinds live in. The first
recipe that is read imports the modules of that package, so that a new kind is one new file and nothing else.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, ClassVar, Self

from pydantic import model_serializer, model_validator
from pydantic_core import PydanticCustomError

from workbench.recipe.fields import Frozen, knob


class Kinded(Frozen):
    """A part of a recipe that comes in kinds, written ``{ kind = "adam", ... }`` or short ``"adam"``.

    A base class sets ``family`` and ``home``; a kind sets ``kind`` (and ``title``) and adds its fields.
    """

    family: ClassVar[str] = ""
    """What the kinds are called in a message: ``layer``, ``optimizer``."""
    home: ClassVar[str] = ""
    """The package whose modules hold the kinds."""
    kind: ClassVar[str] = ""
    """The name in a recipe; empty for a base."""
    title: ClassVar[str] = ""
    """The name for people; the kind with spaces where empty."""
    about: ClassVar[str] = ""
    """One sentence on when to choose it."""
    registered: ClassVar[dict[str, dict[str, type[Kinded]]]] = {}

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        if cls.__dict__.get("kind"):
            known = Kinded.registered.setdefault(cls.family, {})
            if cls.kind in known and known[cls.kind].__qualname__ != cls.__qualname__:
                raise TypeError(f"two {cls.family} kinds are called {cls.kind!r}")
            known[cls.kind] = cls

    @classmethod
    def kinds(cls) -> dict[str, type[Self]]:
        """All kinds of this family by name, sorted; imports the package that holds them."""
        _import_modules(cls.home)
        return dict(sorted(Kinded.registered.get(cls.family, {}).items()))  # type: ignore[arg-type]

    @classmethod
    def human_name(cls) -> str:
        """The kind's name for people."""
        return cls.title or cls.kind.replace("_", " ")

    @model_validator(mode="wrap")
    @classmethod
    def _choose_the_kind(cls, value: Any, handler: Callable[[Any], Any]) -> Any:
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, dict):
            return handler(value)
        value = dict(value)
        kind = value.pop("kind", cls.kind)
        if kind == cls.kind and cls.kind:
            return handler(value)
        known = cls.kinds()
        if kind not in known:
            raise _unknown_kind(cls.family, kind, list(known))
        return known[kind].model_validate(value)

    @model_serializer(mode="wrap")
    def _write_the_kind(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {"kind": self.kind, **handler(self)}


def _unknown_kind(family: str, kind: object, known: list[str]) -> PydanticCustomError:
    if not kind:
        text = f"needs a kind: one of {', '.join(known)}"
    else:
        near = difflib.get_close_matches(str(kind), known, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        text = f"{kind!r} is no {family} kind{guess} (known: {', '.join(known)})"
    return PydanticCustomError("unknown_kind", "{text}", {"text": text})


_imported: set[str] = set()


def _import_modules(package: str) -> None:
    if not package or package in _imported:
        return
    _imported.add(package)
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")


class LayerSpec(Kinded):
    """A layer's entry in the network."""

    family = "layer"
    home = "workbench.layers"
    stem: ClassVar[str] = ""
    """The start of the name that a layer without a name is given; the kind where empty."""
    width_field: ClassVar[str] = ""
    """The field that counts its units or filters, which ``network.width`` multiplies; empty for layers without."""

    looks_up: ClassVar[bool] = False
    """Whether it takes its inputs for whole numbers to look up, so that nothing before it can learn."""

    name: str = knob("", help="The layer's name in weights, exports and messages; made from its kind when empty.")
    inputs: tuple[str, ...] = knob(
        (), help="The layers whose outputs it reads; the layer before when empty. `input` is the network's input."
    )
    frozen: bool = knob(False, help="Keep the layer's weights as they are while the others train.")
    enabled: bool = knob(True, help="Off: the layers after it read what it would have read.")

    def name_stem(self) -> str:
        """The start of an automatic name."""
        return self.stem or self.kind


class LossSpec(Kinded):
    """What the training minimizes."""

    family = "loss"
    home = "workbench.training.losses"


class OptimizerSpec(Kinded):
    """The rule that turns gradients into steps."""

    family = "optimizer"
    home = "workbench.training.optimizers"

    learning_rate: float = knob(1e-3, help="The size of a step (alpha). Change it by factors.", gt=0, le=1e9, log=True)


class ScheduleSpec(Kinded):
    """How the learning rate changes while training goes on."""

    family = "schedule"
    home = "workbench.training.schedules"


class AugmentSpec(Kinded):
    """A random change of training examples, drawn anew each epoch."""

    family = "augmentation"
    home = "workbench.data.augment"

    enabled: bool = knob(True, help="Off: it changes nothing, and the others draw what they would have drawn.")
