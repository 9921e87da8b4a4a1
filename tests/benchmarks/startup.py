"""Times `ganlab list-plugins` and `--help` against an empty Python, interleaved; prints medians of CPU-seconds and ratios.

uv run python tests/benchmarks/startup.py [rounds]
"""

import resource
import statistics
import subprocess
import sys

COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "ganlab --help": ("-m", "ganlab", "--help"),
    "ganlab list-plugins": ("-m", "ganlab", "list-plugins"),
    "ganlab recipes list": ("-m", "ganlab", "recipes", "list"),
    "ganlab validate": ("-m", "ganlab", "validate", "quickstart"),
}


def cpu_seconds(arguments: tuple[str, ...]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for index in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            seconds = cpu_seconds(arguments)
            if index:  # the first round compiles the bytecode
                times[name].append(seconds)
    for name, own in times.items():
        ratio = statistics.median(a / b for a, b in zip(own, times["python -c pass"], strict=True))
        print(f"{name:22} {statistics.median(own):7.3f} CPU-s   x{ratio:.1f}")


if __name__ == "__main__":
    main()
