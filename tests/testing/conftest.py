"""One component, registered by a plugin at hand -> what the kit finds of it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch

from ganlab import Component, hookimpl
from ganlab.testing import Finding, cases, findings


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # what is tried here is too small to share


@pytest.fixture
def found() -> Callable[..., list[Finding]]:
    """Return `found("ganlab_losses", target, family=...)`: what is found of a component, `without` asking one claim."""

    def find(hook: str, target: Callable[..., object], without: str = "", **about: Any) -> list[Finding]:
        plugin = ModuleType("plugin_under_test")
        component = Component("mine", target, summary="what is tried", **about)
        setattr(plugin, hook, hookimpl(lambda: [component], specname=hook))
        return list(findings(case for case in cases(plugin) if case.subject.registered and case.claim.__name__ != without))

    return find
