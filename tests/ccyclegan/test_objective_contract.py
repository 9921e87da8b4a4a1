"""The forms that options give the objectives hold in every claim of the conformance kit, which tries their defaults itself."""

from types import ModuleType
from typing import Any, ClassVar

import pytest
from ganlab_ccyclegan.cycle_options import CycleObjective
from ganlab_ccyclegan.options import CCycleGanObjective

from ganlab import Component, hookimpl
from ganlab.testing import cases, findings


class ToldByTheDiscriminator(CycleObjective):
    """T9."""

    SMALL: ClassVar[dict[str, Any]] = {"class_from": "discriminator", "wrong_labels": False, "identity": False}


class ToldByAFrozenClassifier(CycleObjective):
    """T8, with the photos and wrong labels of T6."""

    SMALL: ClassVar[dict[str, Any]] = {
        "class_from": "classifier",
        "g_classification": "softmax_mae",
        "adversarial": "bce_mse",
        "together": True,
    }


class LabelByLabel(CCycleGanObjective):
    """T24, with the drawn classes of T17."""

    SMALL: ClassVar[dict[str, Any]] = {"each_label": True, "targets": 2, "fake_class": "drawn", "generator_every": 2}


FORMS = [
    Component("told_by_the_discriminator", "ganlab_ccyclegan.cycle:TrueCycle", ToldByTheDiscriminator),
    Component("told_by_a_frozen_classifier", "ganlab_ccyclegan.cycle:TrueCycle", ToldByAFrozenClassifier),
    Component("label_by_label", "ganlab_ccyclegan.objective:SharedLatents", LabelByLabel),
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_form_holds_in_every_claim(form: Component) -> None:
    module = ModuleType("forms")
    module.ganlab_objectives = hookimpl(lambda: [form])  # type: ignore[attr-defined]
    found = list(findings(case for case in cases(module) if case.subject.registered))
    assert len(found) > 8
    assert [(f.case.text, f.verdict, f.why) for f in found if f.verdict != "holds"] == []
