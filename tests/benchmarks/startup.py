"""Times starting against an empty Python, and with 20 plugins of third parties against none; prints medians of CPU-seconds.

uv run python tests/benchmarks/startup.py [rounds]

Each round runs every command in turn without and with the plugins, so that a busy machine slows both alike. The plugins are
installed as pip leaves them (a folder of metadata with a long description, a package, its bytecode) in a temporary folder
on PYTHONPATH. Goal: at most 1.3 times the CPU-seconds for --help and list-plugins.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "ganlab --help": ("-m", "ganlab", "--help"),
    "ganlab list-plugins": ("-m", "ganlab", "list-plugins"),
    "ganlab recipes list": ("-m", "ganlab", "recipes", "list"),
    "ganlab validate": ("-m", "ganlab", "validate", "quickstart"),
}
PLUGINS = 20
MODULE = """from ganlab import Component, hookimpl


@hookimpl
def ganlab_losses():
    return [Component("loss_{index}", "ganlab_x{index}.losses:Loss", family="distance", summary="one of many")]
"""
METADATA = (
    """Metadata-Version: 2.4
Name: ganlab-x{index}
Version: 1.{index}
Summary: one of many
Requires-Dist: ganlab

"""
    + "What the plugin does, and how it is used.\n" * 100
)


def install(folder: Path) -> None:
    for index in range(PLUGINS):
        package = folder / f"ganlab_x{index}"
        package.mkdir()
        (package / "__init__.py").write_text(MODULE.format(index=index))
        (package / "losses.py").write_text("class Loss:\n    def __call__(self, a, b):\n        return a - b\n")
        info = folder / f"ganlab_x{index}-1.{index}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(METADATA.format(index=index))
        (info / "entry_points.txt").write_text(f"[ganlab]\nx{index} = ganlab_x{index}\n")


def cpu_seconds(arguments: tuple[str, ...], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    none: dict[str, list[float]] = {name: [] for name in COMMANDS}
    many: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder))
        without = {**os.environ, "GANLAB_HOME": str(Path(folder) / "home")}
        path = os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])
        for index in range(rounds + 1):
            for name, arguments in COMMANDS.items():
                for times, environment in ((none, without), (many, {**without, "PYTHONPATH": path})):
                    seconds = cpu_seconds(arguments, environment)
                    if index:  # the first round compiles the bytecode
                        times[name].append(seconds)
    print(f"{'':22} {'no plugins':>10} {'/ python':>9} {f'{PLUGINS} plugins':>11} {'/ none':>7}    ({rounds} rounds)")
    for name, own in none.items():
        to_python = statistics.median(own) / statistics.median(none["python -c pass"])
        to_none = statistics.median(many[name]) / statistics.median(own)
        print(f"{name:22} {statistics.median(own):10.3f} {to_python:9.1f} {statistics.median(many[name]):11.3f} {to_none:7.2f}")


if __name__ == "__main__":
    main()
