"""Code that is to run on a GPU -> what it does that only a CPU forgives: found on a CPU, by watching every call of torch.

A GPU works on its own only while the host asks nothing of it: each value that Python reads makes the host wait, a shape
that depends on the data cannot be recorded as a graph, and a tensor made without a device lies on the CPU.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ganlab.testing.kit import Broken

# Stands for the run's device: in a watched block every tensor says that it is here, so that a plain "cpu" is a device that
# the code chose by itself. To torch both are one.
DEVICE = torch.device("cpu", 0)

_READS = {
    "__array__": "numpy",
    "__bool__": "bool(), as `if` and `and` do,",
    "__complex__": "complex()",
    "__contains__": "`in`",
    "__float__": "float()",
    "__format__": "formatting",
    "__index__": "use as a length or an index",
    "__int__": "int()",
    "__repr__": "printing",
    "allclose": "torch.allclose",
    "cpu": ".cpu()",
    "equal": "torch.equal",
    "is_nonzero": "torch.is_nonzero",
    "item": ".item()",
    "numpy": ".numpy()",
    "one_hot": "F.one_hot",
    "tolist": ".tolist()",
}
_SHAPES = {
    "argwhere": "torch.argwhere",
    "bincount": "torch.bincount",
    "masked_select": "masked_select",
    "nonzero": "nonzero",
    "unique": "unique",
    "unique_consecutive": "unique_consecutive",
}
_WINDOWS = ("bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window")
_RANGES = ("arange", "eye", "linspace", "logspace", "randperm", "tril_indices", "triu_indices")
_FILLED = ("empty", "empty_strided", "full", "normal", "ones", "rand", "randint", "randn", "zeros")
_FACTORIES = (*_FILLED, *_RANGES, *_WINDOWS)
_FROM_HOST = ("as_tensor", "asarray", "new_tensor", "scalar_tensor", "tensor")
# What reaches the operations without a call of those names: `x[:length]`, `x[mask]`.
_READING_OPERATIONS = ("_local_scalar_dense", "allclose", "equal", "is_nonzero")
_UNIQUE = ("_unique", "_unique2", "unique_consecutive", "unique_dim", "unique_dim_consecutive")
_SHAPING_OPERATIONS = (*_UNIQUE, "bincount", "masked_select", "nonzero")
_DEVICE_OF = torch.Tensor.device.__get__  # the getter
# Whose lines are not the place of a fault: it is where they were called.
_INNER = frozenset({"torch", "ganlab", "numpy", *sys.stdlib_module_names})


class Impurity(NamedTuple):
    """What code does that a GPU does not forgive, in words, and the "file:line" that does it."""

    what: str
    where: str


class Operation(NamedTuple):
    """One operation of torch with the shapes and numbers that went in, such as "aten.mul.Tensor(float32 [4], 2.0)"."""

    text: str
    where: str


class Watch:
    """What was seen while it was on: impurities, each place once, and every operation in its order."""

    def __init__(self) -> None:
        self.impurities: list[Impurity] = []
        self.operations: list[Operation] = []
        self.is_paused = False

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch the block."""
        with _Operations(self), _Calls(self):
            yield

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Look away from a part of what is watched."""
        was_paused, self.is_paused = self.is_paused, True
        try:
            yield
        finally:
            self.is_paused = was_paused

    def add(self, what: str) -> None:
        """Remember what is being done now, unless this line was seen to do it."""
        impurity = Impurity(what, _line())
        if impurity not in self.impurities:
            self.impurities.append(impurity)


@contextmanager
def watched() -> Iterator[list[Impurity]]:
    """Yield a list that fills with what the block does that a GPU does not forgive; the block runs as ever."""
    watch = Watch()
    with watch.on():
        yield watch.impurities


def refuse(seen: Sequence[Impurity]) -> None:
    """Raise `Broken` for what was seen, if anything: at the place of the first, the others with theirs."""
    if seen:
        first, *others = seen
        raise Broken(first.what + "".join(f"; {other.where}: {other.what}" for other in others), first.where)


class _Calls(TorchFunctionMode):
    """Sees what Python calls, by name: on a CPU some of it is no operation at all (`.cpu()`, `.tolist()`)."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        watch, name = self._watch, getattr(func, "__name__", "")
        if watch.is_paused:
            return func(*args, **kwargs)
        if func == _DEVICE_OF:
            device = func(*args)
            return DEVICE if device.type == "cpu" else device
        what = _before(name, args, kwargs)
        if what:
            watch.add(what)
            with watch.paused():  # what it is made of is not told again
                return func(*args, **kwargs)
        if name not in _FACTORIES and name not in _FROM_HOST:
            return func(*args, **kwargs)
        with watch.paused():
            made = func(*args, **kwargs)
        what = _made(name, made, args, kwargs)
        if what:
            watch.add(what)
        watch.operations.append(Operation(_form(f"torch.{name}", args, kwargs), _line()))
        return made


class _Operations(TorchDispatchMode):
    """Sees the operations that calls are made of."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._watch = watch

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not self._watch.is_paused:
            what = _operation(func, args, kwargs)
            if what:
                self._watch.add(what)
            self._watch.operations.append(Operation(_form(str(func), args, kwargs), _line()))
        return func(*args, **kwargs)


def _before(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a call whatever it returns."""
    if name in _READS:
        return f"{_READS[name]} reads a value on the host, which waits for the device"
    if name in _SHAPES:
        return f"{_SHAPES[name]} has a shape that depends on the data"
    if name == "where" and len(args) + len(kwargs) == 1:
        return "torch.where with one argument has a shape that depends on the data"
    if kwargs.get("generator") is not None:
        return "a generator of its own draws numbers, which no checkpoint saves; leave generator= out"
    device = kwargs.get("device", args[1] if name == "to" and len(args) > 1 else None)
    if device is not None and _is_plain_cpu(device):
        return f'device "cpu" moves to the CPU or makes a tensor there ({name}); take the device of the step or of a tensor'
    return None


def _made(name: str, made: object, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a tensor that was made of nothing or of Python's numbers."""
    of_tensor = bool(args) and any(isinstance(value, Tensor) for value in args)
    if not isinstance(made, Tensor) or (of_tensor and name != "new_tensor"):
        return None
    if name in _FROM_HOST and (name == "new_tensor" or kwargs.get("device") is not None):
        return f"{name} copies numbers from the host, which waits for the device; torch.full, zeros and arange do not"
    if kwargs.get("device") is None and made.dim():
        return f"torch.{name} without device= makes a tensor on the CPU; say device=, of the step or of a tensor"
    return None  # a single number may stay on the CPU


def _operation(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """Return what is wrong with an operation."""
    name = func._schema.name.partition("::")[2]
    if name in _READING_OPERATIONS:
        return "a value is read on the host, which waits for the device"
    if name in _SHAPING_OPERATIONS:
        return f"{name.lstrip('_')} has a shape that depends on the data"
    if name == "repeat_interleave" and func._overloadname == "Tensor" and kwargs.get("output_size") is None:
        return "repeat_interleave by a tensor has a shape that depends on the data; say output_size="
    if name in ("index", "index_put", "index_put_", "_index_put_impl_"):
        if any(isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8) for index in args[1]):
            return "indexing by a mask has a shape that depends on the data; torch.where and multiplication do not"
    elif name == "lift_fresh" and args[0].dim():
        return "a tensor made of Python's numbers or of numpy lies on the CPU; torch.full, zeros and arange take device="
    return None


def _is_plain_cpu(device: object) -> bool:
    if isinstance(device, str):
        return device == "cpu"
    return isinstance(device, torch.device) and device.type == "cpu" and device.index is None


def _form(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return a call in words: equal for calls that a recorded graph could stand for."""
    return f"{name}({', '.join([*map(_shape, args), *(f'{key}={_shape(value)}' for key, value in kwargs.items())])})"


def _shape(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shape, value))}]"
    if value is None or isinstance(value, bool | int | float | complex | str | torch.dtype | torch.device):
        return str(value)
    return type(value).__name__  # a layout, a memory format, a generator: its text may hold an address


def _line() -> str:
    """Return the innermost line outside torch and ganlab; nothing if the kit itself comes first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] not in _INNER:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if name.startswith("ganlab.testing.") and name not in (__name__, "ganlab.testing.stand_in"):
            return ""
        frame = frame.f_back
    return ""
