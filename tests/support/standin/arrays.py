"""An array on a device that is none: it computes with NumPy and refuses what CuPy refuses."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from support.standin.device import Device, Memory, Stream, size_of

Numbers = np.ndarray[Any, Any]
NAMES: dict[str, Any] = json.loads((Path(__file__).parent / "names.json").read_text())
_KINDS = "?bhilqBHILQefdFD"


class ndarray:
    """As ``cupy.ndarray``. ``memory`` is shared by views."""

    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, device: Device, array: Numbers, memory: Memory | None = None) -> None:
        if array.dtype.char not in _KINDS:
            raise ValueError(f"Unsupported dtype {array.dtype}")
        self._device, self._array = device, array
        self.memory = memory or Memory(device, size_of(array))

    # --- what it is ----------------------------------------------------------------------------------------------

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    strides = property(lambda self: self._array.strides)
    itemsize = property(lambda self: self._array.itemsize)
    nbytes = property(lambda self: self._array.nbytes)
    flags = property(lambda self: self._array.flags)
    data = property(lambda self: SimpleNamespace(ptr=self._array.ctypes.data))

    @property
    def T(self) -> ndarray:
        return view(self, self._array.T)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[ndarray]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        return f"standin.{self._array!r}"

    # --- what leaves the device ----------------------------------------------------------------------------------

    def get(self, stream: Any = None, order: str = "C", out: Numbers | None = None, blocking: bool = True) -> Numbers:
        self._device.wait()
        self._device.counts.downloads += 1
        self.memory.touch()
        if out is not None:
            out[...] = self._array
            return out
        return self._array.copy()

    def __array__(self, *args: Any, **kwargs: Any) -> Numbers:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def item(self) -> Any:
        return self.get().item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def __float__(self) -> float:
        return float(self.get().item())

    def __int__(self) -> int:
        return int(self.get().item())

    def __bool__(self) -> bool:
        return bool(self.get().item() if self.size == 1 else self.get())

    def __index__(self) -> int:
        return operator.index(self.get().item())

    # --- what comes to it ----------------------------------------------------------------------------------------

    def set(self, arr: Numbers, stream: Stream | None = None) -> None:
        if not isinstance(arr, np.ndarray) or arr.dtype != self.dtype or arr.shape != self.shape:
            raise TypeError(f"cannot set {self.dtype}{self.shape} from {type(arr).__name__}")
        self._device.counts.uploads += 1
        self._device.counts.uploaded += size_of(arr)
        (stream or self._device.main).copy(self.memory, lambda: np.copyto(self._array, arr))

    def __getitem__(self, key: Any) -> ndarray:
        key = _index(self._device, key)
        if any(isinstance(part, np.ndarray) for part in key):
            self.memory.touch()
            return result(self._device, self._array[key])
        # A single element stays where it is, as a view without axes.
        return view(self, self._array[key if Ellipsis in key else (*key, Ellipsis)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._device.now += 1
        self._device.counts.calls += 1
        self.memory.touch()
        self._array[_index(self._device, key)] = inner(self._device, value)

    def fill(self, value: Any) -> None:
        self[...] = value

    # --- views ---------------------------------------------------------------------------------------------------

    def view(self, dtype: Any = None) -> ndarray:
        return view(self, self._array.view(dtype))

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> ndarray:
        return view(self, self._array.reshape(*shape, order=order))

    def transpose(self, *axes: Any) -> ndarray:
        return view(self, self._array.transpose(*axes))

    def swapaxes(self, axis1: int, axis2: int) -> ndarray:
        return view(self, self._array.swapaxes(axis1, axis2))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or ufunc.__name__ not in NAMES["ufuncs"]:
            return NotImplemented
        given = kwargs.pop("out", (None,))
        return call_ufunc(self._device, ufunc.__name__, inputs, {"out": given[0], **kwargs})

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function.__name__ not in NAMES["functions"]:
            return NotImplemented
        return call_function(self._device, function.__name__, args, kwargs)


def view(of: ndarray, array: Numbers) -> ndarray:
    """An array that shares another one's memory, or where NumPy had to copy, one of its own."""
    shares = np.may_share_memory(array, of._array) or not array.size
    if not shares:
        of._device.counts.calls += 1
    return ndarray(of._device, array, of.memory if shares else None)


def result(device: Device, found: Any) -> Any:
    """What NumPy gave, on the device."""
    if isinstance(found, tuple):
        return tuple(result(device, part) for part in found)
    return ndarray(device, np.asarray(found))


def inner(device: Device, value: Any) -> Any:
    """What NumPy computes with in its place; arrays of the host do not go through."""
    if isinstance(value, ndarray):
        assert value._device is device, "an array of another device"
        value.memory.touch()
        return value._array
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, list | tuple):
        return type(value)(inner(device, part) for part in value)
    return value


def _index(device: Device, key: Any) -> tuple[Any, ...]:
    parts = inner(device, key if isinstance(key, tuple) else (key,))
    if any(isinstance(part, np.ndarray) and part.dtype == np.bool_ for part in parts):
        # How many are chosen decides the shape: the host has to know.
        device.wait()
    return tuple(parts)


def call_ufunc(device: Device, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """As CuPy's ufunc of that name."""
    wrong = set(kwargs) - set(NAMES["ufunc options"])
    if wrong:
        raise TypeError(f"Wrong arguments {wrong}")
    return _call(device, getattr(np, name), args, kwargs)


def call_function(device: Device, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """As CuPy's function of that name."""
    check(name, NAMES["functions"][name], len(args), kwargs)
    if name in ("flatnonzero", "nonzero", "unique", "argwhere", "array_equal", "allclose"):
        device.wait()
    if name == "take":
        # CuPy wraps around what is out of bounds, so that no index can make it fail.
        kwargs = {**kwargs, "mode": "wrap"}
    return _call(device, getattr(np, name), args, kwargs)


def check(name: str, allowed: list[str], given: int, kwargs: dict[str, Any]) -> None:
    """That a function or method of CuPy takes such arguments."""
    places = [one for one in allowed if not one.startswith("*")]
    if given > len(places) and not any(one.startswith("**") or one in ("*shape", "*axes") for one in allowed):
        raise TypeError(f"{name}() takes {len(places)} arguments, not {given}")
    wrong = set(kwargs) - {one.lstrip("*") for one in allowed}
    if wrong:
        raise TypeError(f"{name}() got an unexpected keyword argument {wrong}")


def _call(device: Device, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    device.now += 1
    device.counts.calls += 1
    out = kwargs.get("out")
    if out is not None and not isinstance(out, ndarray):
        raise TypeError(f"return arrays must be of the device, not {type(out)}")
    places = [arg for arg in args if isinstance(arg, ndarray)]
    found = function(*inner(device, args), **{key: inner(device, value) for key, value in kwargs.items()})
    if out is not None:
        return out
    if found is None or isinstance(found, bool | type | np.dtype):
        return found
    for place in places:
        if found is place._array:
            return place
        if isinstance(found, np.ndarray) and found.base is not None and np.may_share_memory(found, place._array):
            return view(place, found)
    return result(device, found)


def _method(name: str, allowed: list[str]) -> Callable[..., Any]:
    def method(self: ndarray, *args: Any, **kwargs: Any) -> Any:
        check(name, allowed, len(args), kwargs)
        if name == "nonzero":
            self._device.wait()
        return _call(self._device, lambda array, *more, **named: getattr(array, name)(*more, **named),
                     (self, *args), kwargs)  # fmt: skip

    return method


def _operator(name: str, swapped: bool) -> Callable[..., Any]:
    function = getattr(operator, name)

    def method(self: ndarray, other: Any) -> Any:
        pair = (other, self) if swapped else (self, other)
        return _call(self._device, function, pair, {})

    return method


def _unary(name: str) -> Callable[..., Any]:
    function = getattr(operator, name)
    return lambda self: _call(self._device, function, (self,), {})


def _in_place(name: str) -> Callable[..., Any]:
    function = getattr(operator, name)

    def method(self: ndarray, other: Any) -> ndarray:
        self._device.now += 1
        self._device.counts.calls += 1
        self.memory.touch()
        function(self._array, inner(self._device, other))
        return self

    return method


for _name, _allowed in NAMES["methods"].items():
    if _name not in vars(ndarray):
        setattr(ndarray, _name, _method(_name, _allowed))
for _name in [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
]:
    _bare = _name.rstrip("_")
    setattr(ndarray, f"__{_bare}__", _operator(_name, swapped=False))
    setattr(ndarray, f"__r{_bare}__", _operator(_name, swapped=True))
    setattr(ndarray, f"__i{_bare}__", _in_place(f"i{_bare}"))
for _name in ("lt", "le", "eq", "ne", "gt", "ge"):
    setattr(ndarray, f"__{_name}__", _operator(_name, swapped=False))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(ndarray, f"__{_name}__", _unary(_name))
