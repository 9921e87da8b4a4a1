"""A kind and a name -> the files of a complete package, written into a new folder."""

from __future__ import annotations

from pathlib import Path
from string import Template

from ganlab.contracts import API_VERSION, KINDS
from ganlab.errors import DeviceError, UsageError
from ganlab.registry import did_you_mean, near_names
from ganlab.scaffold.names import PluginName, plugin_name

# A template is the text of a file with $words; its path becomes the file's, "PACKAGE" and "NAME" replaced.
TEMPLATES = Path(__file__).parent / "templates"
_SUFFIX = ".template"
_ABOUT = "about.md"  # of each kind: the sections of the README that only this kind has
# What each kind's files import, beside ganlab.
_IMPORTS = {
    "dataset": ("numpy", "pillow", "pydantic"),
    "architecture": ("pydantic", "torch"),
    "loss": ("pydantic", "torch"),
    "objective": ("pydantic", "torch"),
    "evaluator": ("pydantic", "torch"),
}


def new_package(written: str, kind: str, out: Path | None = None) -> tuple[PluginName, Path, list[Path]]:
    """Write the package of a plugin; return its name, its folder and its files.

    Raises `UsageError` for a kind, name or folder that cannot be, `DeviceError` for a folder that may not be written.
    """
    if kind not in KINDS:
        raise UsageError(f"--kind {kind}: kinds are {', '.join(KINDS)}{did_you_mean(near_names(kind, KINDS))}")
    name = plugin_name(written, kind)
    folder = out or Path(name.distribution)
    texts = filled(name, kind)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            what = "is a folder that is not empty" if folder.is_dir() else "is a file"
            raise UsageError(f"{folder}: {what}; choose another with --out DIR")
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: a null byte
        reason = getattr(error, "strerror", None) or str(error)
        raise DeviceError(f"{folder}: cannot be written: {reason}; choose another folder with --out DIR") from None
    return name, folder, [folder / path for path in texts]


def filled(name: PluginName, kind: str) -> dict[Path, str]:
    """Return path -> text of each file of the package, sorted."""
    words = {
        "name": name.short,
        "package": name.package,
        "distribution": name.distribution,
        "Class": name.class_prefix,
        "kind": kind,
        "api": str(API_VERSION),
        "dependencies": ", ".join(f'"{library}"' for library in sorted(("ganlab", *_IMPORTS[kind]))),
    }
    words["about"] = Template((TEMPLATES / kind / _ABOUT).read_text(encoding="utf-8")).substitute(words).strip()
    texts = {}
    for part in (TEMPLATES / "every", TEMPLATES / kind):
        for template in part.rglob(f"*{_SUFFIX}"):
            path = str(template.relative_to(part)).removesuffix(_SUFFIX)
            path = path.replace("PACKAGE", name.package).replace("NAME", name.short)
            texts[Path(path)] = Template(template.read_text(encoding="utf-8")).substitute(words)
    return dict(sorted(texts.items()))
