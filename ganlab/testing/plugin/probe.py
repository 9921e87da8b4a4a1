"""A script: imports a plugin's module in a process of its own, and reports what that did, as JSON. Imports no ganlab.

It reads {"path": sys.path, "module": ..., "options": ["package.options:Model"]} from standard input and writes its
report to the file that its argument names; what the plugin prints stays alone on standard output.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

HEAVY = ("torch", "pydantic")  # what ganlab itself imports only when it is needed
_SHARED = (*HEAVY, "ganlab", "numpy", "pydantic_core")  # whose import is not the plugin's own work
_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto")


class Shares:
    """Finds modules as Python does, and measures the CPU time of those that every run imports anyway."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cuda: list[str] = []
        self._depth = 0

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where a shared module is, with a loader that is timed; None for any other: ask the next finder."""
        if name.partition(".")[0] not in _SHARED:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)  # an editable install has a finder of its own
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def timed(module: ModuleType) -> None:
            start, self._depth = time.process_time(), self._depth + 1
            try:
                load(module)
            finally:
                self._depth -= 1
                if not self._depth:  # what a shared module imports is counted with it
                    self.seconds += time.process_time() - start
            if name == "torch":
                self._watch_cuda(module)

        spec.loader.exec_module = timed  # type: ignore[method-assign]  # of this loader alone
        return spec

    def _watch_cuda(self, torch: Any) -> None:
        """Hear what starts CUDA, also on a machine that has none."""
        start = torch.cuda._lazy_init

        def heard() -> None:
            self.cuda.append(line())
            start()

        torch.cuda._lazy_init = heard


def line() -> str:
    """Return the innermost "file:line" outside Python's library and those that every run imports."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] not in (*_SHARED, *sys.stdlib_module_names, "__main__"):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def main() -> None:
    """Import what standard input names and report."""
    asked = json.load(sys.stdin)
    sys.path[:] = asked["path"]
    import ganlab  # noqa: F401  # the doorway, which every plugin finds open

    shares, network = Shares(), []
    sys.meta_path.insert(0, shares)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK:
            network.append([event, line()])
            raise OSError(f"ganlab refuses {event} while a plugin is imported")

    sys.addaudithook(hear)
    report: dict[str, Any] = {"error": "", "missing": ""}
    start = time.process_time()
    try:
        importlib.import_module(asked["module"])
        report["seconds"] = time.process_time() - start - shares.seconds
        report["shared_seconds"] = shares.seconds
        report["heavy"] = [name for name in HEAVY if name in sys.modules]
        report["heavy_after_options"] = []
        for place in asked["options"]:
            with contextlib.suppress(Exception, SystemExit):  # whether it can be imported is another claim
                importlib.import_module(place.partition(":")[0])
            if "torch" in sys.modules:
                report["heavy_after_options"].append(place)
                break
    except BaseException as error:
        report["error"] = f"{type(error).__name__}: {error}"
        report["missing"] = getattr(error, "name", "") if isinstance(error, ModuleNotFoundError) else ""
    report |= {"network": network, "cuda": shares.cuda}
    Path(sys.argv[1]).write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main()
