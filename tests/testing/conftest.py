"""One component, registered by a plugin at hand -> what the kit finds of it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch

from ganlab import Component, hookimpl
from ganlab.testing import Case, Finding, cases, findings


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # what is tried here is too small to share


@pytest.fixture
def found() -> Callable[..., list[Finding]]:
    """Return `found("ganlab_losses", target, family=...)`: what is found of a component, `without` asking one claim."""

    def find(hook: str, target: Callable[..., object], without: str = "", **about: Any) -> list[Finding]:
        return list(findings(case for case in _cases(hook, target, **about) if case.claim.__name__ != without))

    return find


@pytest.fixture
def claimed() -> Callable[..., set[str]]:
    """Return `claimed("ganlab_losses", target, family=...)`: the names of what is claimed of a component."""
    return lambda hook, target, **about: {case.claim.__name__ for case in _cases(hook, target, **about)}


def _cases(hook: str, target: Callable[..., object], **about: Any) -> list[Case]:
    plugin = ModuleType("plugin_under_test")
    component = Component("mine", target, summary="what is tried", **about)
    setattr(plugin, hook, hookimpl(lambda: [component], specname=hook))
    return [case for case in cases(plugin) if case.subject.registered]
