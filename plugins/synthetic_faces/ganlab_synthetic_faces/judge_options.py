"""The options of the judge. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from ganlab import Options


class ExpressionJudgeOptions(Options):
    """Which unseen faces a translator is tried on, and how much the judge has seen of others."""

    level: Literal["easy", "default", "hard"] = Field("default", description="how hard expressions are to read")
    seed: int = Field(0, ge=0, lt=2**31, description="which people; those of the data set's own seed are never among them")
    people: int = Field(84, ge=7, le=5_000, description="unseen people; each is translated to all seven expressions")
    judge_images: int = Field(5_600, ge=700, description="drawn faces that the judge learns from")
    judge_epochs: int = Field(3, ge=1, description="passes of the judge over them")

    SMALL: ClassVar[Mapping[str, Any]] = {"people": 7, "judge_images": 700, "judge_epochs": 1}
