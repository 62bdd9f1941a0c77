"""The CUDA C sources, and the kernels in them with the types of their arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_KERNEL = re.compile(r'extern "C" __global__ void (?:__launch_bounds__\(\d+\) )?(\w+)\(([^)]*)\)')
_HEADERS = {"conv": ("common", "tiles"), "products": ("common", "tiles")}
"""What a module is compiled with, where that is more than ``common``."""

OPTIONS = ("-std=c++17",)
"""How NVRTC compiles the sources."""


@dataclass(frozen=True)
class Kernel:
    """A kernel as its source declares it.

    Attributes:
        name: of the function.
        module: the source that it stands in.
        types: of its arguments: ``float*``, ``int``, ...
        names: of its arguments.
    """

    name: str
    module: str
    types: tuple[str, ...]
    names: tuple[str, ...]


def modules() -> tuple[str, ...]:
    """The names of all sources."""
    return tuple(sorted(name.removesuffix(".cu") for name in _names() if name.endswith(".cu")))


@cache
def text_of(module: str) -> str:
    """A source with the headers it needs."""
    headers = _HEADERS.get(module, ("common",))
    return "\n".join([*(_read(f"{header}.cuh") for header in headers), _read(f"{module}.cu")])


@cache
def kernels() -> dict[str, Kernel]:
    """All kernels by name."""
    found = {}
    for module in modules():
        for name, arguments in _KERNEL.findall(_read(f"{module}.cu")):
            declared = [_declared(argument) for argument in arguments.split(",")]
            types, names = zip(*declared, strict=True)
            found[name] = Kernel(name, module, types, names)
    return found


def _declared(argument: str) -> tuple[str, str]:
    """Type and name of an argument: ``const float* x`` gives ``float*`` and ``x``."""
    words = argument.replace("const ", "").replace("__restrict__", "").split()
    return " ".join(words[:-1]), words[-1]


def _names() -> list[str]:
    return [entry.name for entry in files("workbench.engine.cuda").joinpath("sources").iterdir()]


def _read(name: str) -> str:
    return files("workbench.engine.cuda").joinpath("sources", name).read_text(encoding="utf-8")
