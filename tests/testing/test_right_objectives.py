"""Objectives as papers publish them hold in every claim: clipped critics, three players, translators, frozen networks."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from ganlab_ccyclegan.options import CCycleGanObjective
from torch import Tensor

from ganlab import Adversarial, Component, Criterion, Penalty, Step, Update, clip, hookimpl, inference
from ganlab.options import Family, LossName, ObjectiveOptions
from ganlab.testing import cases, findings

GD: dict[str, tuple[str, ...]] = {"generator": ("generator",), "discriminator": ("discriminator",)}
AnyAdversarial = Annotated[LossName, Family("adversarial", "joint", "paired")]
Halves = Annotated[LossName, Family("adversarial")]
Distance = Annotated[LossName, Family("distance")]
Classes = Annotated[LossName, Family("classification")]


def other_labels(labels: Tensor) -> Tensor:
    """Return another one-hot label for each, [N, K]."""
    return labels.roll(1, 1)


class WganOptions(ObjectiveOptions):
    adversarial: AnyAdversarial = "wasserstein"
    penalty: Annotated[LossName, Family("penalty")] = "none"
    critic_steps: int = 5

    def players(self) -> dict[str, tuple[str, ...]]:
        return GD

    def needs(self) -> dict[str, str]:
        return {"generator": "noise -> images", "discriminator": "images -> logits"}


class WganGpOptions(WganOptions):
    SMALL: ClassVar[dict[str, Any]] = {"penalty": "wgan_gp", "critic_steps": 2}


@dataclass
class Wgan:
    """The critic moves as often as the phase says, and is clipped after each time."""

    adversarial: Adversarial
    penalty: Penalty
    critic_steps: int

    def phase(self, index: int) -> int:
        return self.critic_steps if index < 5 or index % 50 == 0 else 1

    def step(self, s: Step) -> Iterator[Update]:
        generator, critic = s.nets["generator"], s.nets["discriminator"]
        for _ in range(s.phase):
            batch = s.batch()
            with torch.no_grad():
                fakes = generator(s.noise(len(batch)))
            terms = {"d_adversarial": self.adversarial.discriminator(critic(batch.images).logits, critic(fakes).logits)}
            if self.penalty:
                terms["d_penalty"] = self.penalty(lambda images: critic(images).logits, batch.images, fakes)
            yield Update("discriminator", **terms)
            clip(critic, 0.01)
        batch = s.batch()
        logits = critic(generator(s.noise(len(batch)))).logits
        yield Update("generator", g_adversarial=self.adversarial.generator(logits, lambda: critic(batch.images).logits))


class AutoencoderOptions(ObjectiveOptions):
    adversarial: Halves = "bce"
    classification: Classes = "binary"
    distance: Distance = "l1"

    def players(self) -> dict[str, tuple[str, ...]]:
        return {**GD, "autoencoder": ("encoder", "generator")}

    def needs(self) -> dict[str, str]:
        return {
            "generator": "noise labels -> images",
            "discriminator": "images -> logits classes",
            "encoder": "images -> labels noise",
        }


@dataclass
class Autoencoder:
    """AE-AC-GAN: two of three players move the generator; the discriminator sees a shuffled half of reals and fakes."""

    adversarial: Adversarial
    classification: Criterion
    distance: Criterion

    def step(self, s: Step) -> Iterator[Update]:
        encoder, generator, discriminator = s.nets["encoder"], s.nets["generator"], s.nets["discriminator"]
        batch = s.batch()
        count, kinds = batch.labels.shape
        draws = torch.randint(kinds, (count, 2), device=s.device)
        labels = torch.zeros_like(batch.labels).scatter_(1, draws, 1.0)
        fakes = generator(s.noise(count), labels)
        kept = torch.randperm(2 * count, device=s.device)[:count]
        verdict = discriminator(torch.cat([batch.images, fakes.detach()])[kept])
        yield Update(
            "discriminator",
            d_adversarial=self.adversarial.mixed(verdict.logits, is_real=kept < count),
            d_class=self.classification(verdict.classes, torch.cat([batch.labels, labels])[kept]),
        )
        s.log(d_accuracy=((verdict.logits > 0) == (kept < count)).float().mean())
        verdict = discriminator(fakes)
        yield Update(
            "generator",
            g_adversarial=self.adversarial.generator(verdict.logits, lambda: discriminator(batch.images).logits),
            g_class=self.classification(verdict.classes, labels),
        )
        encoded, noise = encoder(batch.images)
        yield Update("autoencoder", ae_reconstruction=self.distance(generator(noise, encoded), batch.images))


class TranslatorOptions(ObjectiveOptions):
    adversarial: Halves = "lsgan"
    classification: Classes = "categorical"
    distance: Distance = "l1"

    def players(self) -> dict[str, tuple[str, ...]]:
        return GD

    def needs(self) -> dict[str, str]:
        return {"generator": "images labels -> images", "discriminator": "images labels -> logits classes+1 features"}


@dataclass
class Translator:
    """Three updates of the discriminator, one of them with fakes as in inference; a class more, for fakes."""

    adversarial: Adversarial
    classification: Criterion
    distance: Criterion

    def step(self, s: Step) -> Iterator[Update]:
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        batch = s.batch()
        photos, own, other = batch.images, batch.labels, other_labels(batch.labels)
        real = discriminator(photos, own)
        d_class = self.classification(real.classes, F.pad(own, (0, 1)))
        yield Update("discriminator", d_real=self.adversarial.real(real.logits), d_class=d_class)
        yield Update("discriminator", d_wrong=self.adversarial.fake(discriminator(photos, other).logits))
        with inference(generator):
            fakes = generator(photos, other)
        yield Update("discriminator", d_fake=self.adversarial.fake(discriminator(fakes, other).logits))
        fakes = generator(photos, other)
        verdict = discriminator(fakes, other)
        with torch.no_grad():
            wanted = discriminator(photos, own).features
        yield Update(
            "generator",
            g_adversarial=self.adversarial.generator(verdict.logits, lambda: discriminator(photos, own).logits),
            g_class=self.classification(verdict.classes, F.pad(other, (0, 1))),
            g_features=self.distance(verdict.features, wanted),
            g_cycle=self.distance(generator(fakes, own), photos),
        )


class TwoDomainsOptions(ObjectiveOptions):
    adversarial: Halves = "lsgan"
    distance: Distance = "l1"

    def players(self) -> dict[str, tuple[str, ...]]:
        return {"generators": ("there", "back"), "discriminator": ("discriminator",)}

    def needs(self) -> dict[str, str]:
        return {"there": "images -> images", "back": "images -> images", "discriminator": "images -> logits"}


@dataclass
class TwoDomains:
    """CycleGAN between two classes, cut down to one discriminator."""

    adversarial: Adversarial
    distance: Criterion

    def step(self, s: Step) -> Iterator[Update]:
        there, back, discriminator = s.nets["there"], s.nets["back"], s.nets["discriminator"]
        a, b = s.batch(of=0).images, s.batch(of=1).images
        fakes = there(a)
        real, false = discriminator(b).logits, discriminator(fakes.detach()).logits
        yield Update("discriminator", d_adversarial=self.adversarial.discriminator(real, false))
        yield Update(
            "generators",
            g_adversarial=self.adversarial.generator(discriminator(fakes).logits, lambda: discriminator(b).logits),
            g_cycle=self.distance(back(fakes), a) + self.distance(there(back(b)), b),
        )


class EncoderOptions(ObjectiveOptions):
    distance: Distance = "l2"

    def players(self) -> dict[str, tuple[str, ...]]:
        return {"encoder": ("encoder",)}

    def needs(self) -> dict[str, str]:
        return {"encoder": "images -> noise", "generator": "noise labels -> images"}


@dataclass
class Encoder:
    """Learns the noise of a generator that another run trained."""

    distance: Criterion

    def step(self, s: Step) -> Iterator[Update]:
        batch = s.batch()
        again = s.nets["generator"](s.nets["encoder"](batch.images), batch.labels)
        yield Update("encoder", e_reconstruction=self.distance(again, batch.images))


class Classifier:
    """A network alone, moved without any loss of the recipe."""

    def step(self, s: Step) -> Iterator[Update]:
        batch = s.batch()
        classes = s.nets["classifier"](batch.images)
        yield Update("classifier", c_class=F.cross_entropy(classes.float(), batch.labels))
        s.log(c_accuracy=(classes.argmax(1) == batch.labels.argmax(1)).float().mean())


class ClassifierOptions(ObjectiveOptions):
    def players(self) -> dict[str, tuple[str, ...]]:
        return {"classifier": ("classifier",)}

    def needs(self) -> dict[str, str]:
        return {"classifier": "images -> classes"}


class FewTargets(CCycleGanObjective):
    SMALL: ClassVar[dict[str, Any]] = {"targets": 1, "warm_up_steps": 2}


class Penalised(CCycleGanObjective):
    SMALL: ClassVar[dict[str, Any]] = {
        "adversarial": "lecam",
        "penalty": "r1",
        "augment": ["colour", "translation", "cutout"],
        "generator_every": 1,
    }


T26 = "ganlab_ccyclegan.objective:SharedLatents"
OBJECTIVES = [
    Component("wgan", Wgan, WganOptions),
    Component("wgan_gp", Wgan, WganGpOptions),
    Component("ae_acgan", Autoencoder, AutoencoderOptions),
    Component("translator", Translator, TranslatorOptions),
    Component("two_domains", TwoDomains, TwoDomainsOptions),
    Component("encoder", Encoder, EncoderOptions),
    Component("classifier", Classifier, ClassifierOptions),
    Component("t26_few_targets", T26, FewTargets),
    Component("t26_penalised", T26, Penalised),
]


@pytest.mark.parametrize("component", OBJECTIVES, ids=lambda component: component.name)
def test_a_published_objective_holds_in_every_claim(component: Component) -> None:
    module = ModuleType("published")
    module.ganlab_objectives = hookimpl(lambda: [component])  # type: ignore[attr-defined]
    assert not_held(module) == []


def test_an_objective_is_tried_on_the_networks_of_its_own_plugin() -> None:
    spec = importlib.util.spec_from_file_location("tiny_under_test", Path(__file__).parent.parent / "core" / "tiny.py")
    assert spec is not None
    assert spec.loader is not None
    tiny = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    assert not_held(tiny) == []
    assert "with tiny, on gray images of 8 px with classes" in [finding.why for finding in findings(cases(tiny))]


def not_held(module: ModuleType) -> list[tuple[str, str, str]]:
    """Return the claims of a plugin's objectives that do not hold, and why."""
    of_objectives = [case for case in cases(module) if case.subject.registered and case.subject.registered.kind == "objective"]
    assert of_objectives
    return [(f.case.text, f.verdict, f"{f.why} ({f.where})") for f in findings(of_objectives) if f.verdict != "holds"]
