"""The command `ganlab`: finds the module of one command, runs it, and turns errors into one message and an exit code.

Only the module of the command that was asked for is imported, so that help and lists need no torch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ganlab.cli import console
from ganlab.errors import GanlabError, Interrupted, UsageError

if TYPE_CHECKING:
    import typer


NO_PLUGINS = "--no-plugins"  # anywhere on the command line


class Command(NamedTuple):
    """One word after `ganlab`."""

    target: str  # "module:name" of a function, or of a typer app with commands of its own
    summary: str
    examples: tuple[str, str]


COMMANDS = {
    "run": Command(
        "ganlab.cli.run:command",
        "train a recipe in a new run directory",
        ("ganlab run recipes/quickstart.toml", "ganlab run ccyclegan_t26 --dataset synthetic_faces --max-steps 500"),
    ),
    "resume": Command(
        "ganlab.cli.resume:command",
        "go on with a run, to the end that its recipe states or to a new one",
        ("ganlab resume runs/0001-quickstart", "ganlab resume runs/0001-quickstart --max-steps 20000"),
    ),
    "validate": Command(
        "ganlab.cli.validate:command",
        "check a recipe and report every fault; reads no data",
        ("ganlab validate recipes/ccyclegan_t26.toml", "ganlab validate quickstart --set objective.adversarial=bce"),
    ),
    "sample": Command(
        "ganlab.cli.sample:command",
        "make pictures from a run or a checkpoint",
        ("ganlab sample runs/0001-quickstart --labels happy,sad", "ganlab sample faces@best --images photos --out faces.png"),
    ),
    "translate": Command(
        "ganlab.cli.translate:command",
        "change photos of your own towards labels",
        ("ganlab translate runs/0001-quickstart me.jpg --to happy", 'ganlab translate faces@best photos --to "Smiling=1"'),
    ),
    "eval": Command(
        "ganlab.cli.eval:command",
        "score checkpoints: how good are the images, by which protocol, which is best",
        ("ganlab eval runs/0001-quickstart --rfd", "ganlab eval runs --fid --kid --last --seeds 3 --csv scores.csv"),
    ),
    "models": Command(
        "ganlab.cli.models:app",
        "give trained models names: add, list, show, promote, remove",
        ("ganlab models add runs/0001-quickstart --name faces --alias best", "ganlab models promote faces@1 best"),
    ),
    "compare": Command(
        "ganlab.cli.compare:command",
        "put runs side by side: recipes, scores, curves, samples",
        ("ganlab compare runs/0001-quickstart runs/0002-quickstart", "ganlab compare runs/*-quickstart --out comparison"),
    ),
    "weights": Command(
        "ganlab.cli.weights:app",
        "the files of weights that scores need: which are there, download one, check them",
        ("ganlab weights list", "ganlab weights fetch inception-2015-12-05.pt"),
    ),
    "recipes": Command(
        "ganlab.cli.recipes:app",
        "list the recipes that are at hand, show one, compare two, copy one to edit",
        ("ganlab recipes list", "ganlab recipes diff quickstart runs/0001-quickstart"),
    ),
    "list-plugins": Command(
        "ganlab.cli.list_plugins:command",
        "list the plugins, what each offers, and why one is broken",
        ("ganlab list-plugins --kind loss", "ganlab list-plugins --json"),
    ),
    "plugin": Command(
        "ganlab.cli.plugin:app",
        "begin a plugin of your own, check one, switch one off or on",
        ("ganlab plugin new hinge-x --kind loss", "ganlab plugin check hinge-x"),
    ),
    "components": Command(
        "ganlab.cli.components:app",
        "list what a recipe may name, or show the options of one",
        ("ganlab components show objective ccyclegan", "ganlab components show --schema > recipe.schema.json"),
    ),
    "data": Command(
        "ganlab.cli.data:app",
        "draw a data set, look for its faults, or write it to files",
        (
            "ganlab data export synthetic_faces --layout fer2013 --out datasets",
            "ganlab data check fer2013",
        ),
    ),
    "env": Command(
        "ganlab.cli.env:command",
        "print versions, machine and settings, for a bug report",
        ("ganlab env", "ganlab env --json"),
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # Read when torch loads GNU's OpenMP: a thread that waits for others soon sleeps, instead of spinning for long. On idle
    # cores that costs nothing; on two cores beside one other busy process the quickstart is five times as fast so.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    arguments = list(sys.argv[1:] if argv is None else argv)
    own = arguments.index("--") if "--" in arguments else len(arguments)
    try:
        if NO_PLUGINS not in arguments[:own]:
            return _run(arguments)
        with _no_third_parties():
            return _run([word for word in arguments[:own] if word != NO_PLUGINS] + arguments[own:])
    except Interrupted as stop:
        console.progress(f"ganlab: {stop}")
        return stop.code
    except GanlabError as error:
        console.error(str(error))
        return error.code
    except KeyboardInterrupt:
        console.progress("ganlab: interrupted")
        return 130
    except BrokenPipeError:  # whoever read the output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        return 141


@contextmanager
def _no_third_parties() -> Iterator[None]:
    """Leave the plugins of third parties out of this command, and of the processes that it starts."""
    before = os.environ.get("GANLAB_PLUGINS")
    os.environ["GANLAB_PLUGINS"] = ""
    try:
        yield
    finally:
        if before is None:
            del os.environ["GANLAB_PLUGINS"]
        else:
            os.environ["GANLAB_PLUGINS"] = before


def _run(arguments: list[str]) -> int:
    match arguments:
        case [] | ["--help" | "-h" | "help", *_]:
            console.result(_help())
            return 0
        case ["--version", *_]:
            from importlib.metadata import version

            console.result(f"ganlab {version('ganlab')}")
            return 0
        case ["list-plugins", *rest]:
            from ganlab.cli.plugin_table import answers_at_once

            if answers_at_once(rest):
                return 0
    name, *rest = arguments
    if name not in COMMANDS:
        raise UsageError(_no_such(name))
    return _invoke(name, rest)


def _invoke(name: str, arguments: list[str]) -> int:
    """Parse the arguments of one command and call it."""
    import typer

    program = f"ganlab {name}"
    try:
        # What the library's own `main` does, but for printing errors, which is ours.
        command: Any = typer.main.get_command(_typer_app(name))
        with command.make_context(program, arguments) as context:
            command.invoke(context)
        return 0
    except typer.Exit as end:
        return end.exit_code
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a group without a command; the message is its help
            console.progress(str(error))
            return UsageError.code
        if not hasattr(error, "format_message"):  # not one of the library's complaints about the arguments
            raise
        context = getattr(error, "ctx", None)  # of `models add`, not of `models`
        asked = context.command_path if context else program
        raise UsageError(f"{error.format_message()}\n`{asked} --help` explains.") from None


def _typer_app(name: str) -> typer.Typer:
    from importlib import import_module

    import typer

    module, _, attribute = COMMANDS[name].target.partition(":")
    # A blank line with the character \b keeps the lines of the examples apart.
    examples = "\b\nExamples:\n" + "\n".join(f"  {example}" for example in COMMANDS[name].examples)
    try:
        app = getattr(import_module(module), attribute)
    except ImportError as error:
        from ganlab.registry import in_one_line

        reason = f"`ganlab {name}` cannot start: {in_one_line(error)}"
        raise GanlabError(f"{reason}\n`ganlab env` shows what is installed.") from error
    if not isinstance(app, typer.Typer):
        function: Callable[..., None] = app
        app = typer.Typer()
        app.command(epilog=examples)(function)
    else:
        app.info.epilog = examples
    app._add_completion = False
    app.rich_markup_mode = None  # what a user typed is never markup
    return app


def _help() -> str:
    width = max(map(len, COMMANDS))
    return "\n".join(
        [
            "Usage: ganlab COMMAND [OPTIONS]",
            "",
            "Conditional and image-to-image GANs: every published variant a plugin, every experiment a TOML recipe.",
            "",
            "Commands:",
            *(f"  {name:{width}}  {command.summary}" for name, command in COMMANDS.items()),
            "",
            "Options:",
            f"  {'--version':{width}}  print the version",
            f"  {NO_PLUGINS:{width}}  with any command: leave out the plugins of third parties",
            f"  {'--help':{width}}  print this; after a command, explain it",
            "",
            "Examples:",
            "  ganlab run recipes/quickstart.toml",
            "  ganlab run --help",
        ]
    )


def _no_such(name: str) -> str:
    from ganlab.registry import did_you_mean, near_names

    if name.startswith("-"):
        return f"no option {name!r}; `ganlab --help` lists commands and options"
    if name.endswith(".toml"):
        return f"no command {name!r}; did you mean `ganlab run {name}`?"
    return f"no command {name!r}{did_you_mean(near_names(name, COMMANDS))}\n`ganlab --help` lists the commands."
