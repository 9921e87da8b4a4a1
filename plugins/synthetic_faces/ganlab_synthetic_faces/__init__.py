"""synthetic_faces: faces drawn by formulas, any number of them, with known person, scene, expression and attributes.

For notebooks and evaluators: `identity`, `scene`, `expression`, `render`, `attributes`, `faces`, `answers`,
`face_window`, and the constants of `names`. Importing this package imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganlab import Component, hookimpl
from ganlab_synthetic_faces.names import ATTRIBUTES, EXPRESSIONS, FIRST_IDENTITY, FRAMINGS, LEVELS, NOT_DRAWN

if TYPE_CHECKING:
    from ganlab_synthetic_faces.anatomy import Identity
    from ganlab_synthetic_faces.expressions import ACTION_UNITS, expression
    from ganlab_synthetic_faces.people import identity
    from ganlab_synthetic_faces.rendering import render
    from ganlab_synthetic_faces.sampling import Faces, answers, face_window, faces
    from ganlab_synthetic_faces.scenes import Scene, scene
    from ganlab_synthetic_faces.traits import attributes

__all__ = [
    "ACTION_UNITS",
    "ATTRIBUTES",
    "EXPRESSIONS",
    "FIRST_IDENTITY",
    "FRAMINGS",
    "LEVELS",
    "NOT_DRAWN",
    "Faces",
    "Identity",
    "Scene",
    "answers",
    "attributes",
    "expression",
    "face_window",
    "faces",
    "identity",
    "render",
    "scene",
]

# Names whose modules import torch, imported when first asked for.
_LAZY = {
    "ACTION_UNITS": "expressions",
    "Faces": "sampling",
    "Identity": "anatomy",
    "Scene": "scenes",
    "answers": "sampling",
    "attributes": "traits",
    "expression": "expressions",
    "face_window": "sampling",
    "faces": "sampling",
    "identity": "people",
    "render": "rendering",
    "scene": "scenes",
}


@hookimpl
def ganlab_datasets() -> list[Component]:
    """Offer the data set."""
    return [
        Component(
            "synthetic_faces",
            "ganlab_synthetic_faces.dataset:SyntheticFaces",
            options="ganlab_synthetic_faces.options:SyntheticFacesOptions",
            summary="drawn faces with seven expressions and CelebA's 40 attributes; nothing to download",
        )
    ]


@hookimpl
def ganlab_evaluators() -> list[Component]:
    """Offer the judge of translations."""
    return [
        Component(
            "expression_judge",
            "ganlab_synthetic_faces.judge:ExpressionJudge",
            options="ganlab_synthetic_faces.judge_options:ExpressionJudgeOptions",
            summary="translations of unseen drawn faces: is the expression there, and how far is the right answer",
        )
    ]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
