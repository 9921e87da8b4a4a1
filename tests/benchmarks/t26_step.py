"""Times one training step of T26 as ganlab runs it against the plain form of the published loop, side by side.

    uv run python tests/benchmarks/t26_step.py [--batch 64] [--threads 1] [--rounds 7] [--bare FOLDER]

Prints CPU-seconds a step (a mean over five steps, one of which moves the generator), medians of interleaved rounds, and the
median of the ratio within each round. `--bare` names a folder that holds `baselines.py` with a hand-written step `CCStep`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab.cli.recipe_arguments import read_spec
from ganlab.resolve import Parts, resolve
from ganlab.training.step import TrainingStep, run_step
from ganlab.training.tally import Tally

STEPS = 5  # one of them moves the generator


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--batch", type=int, default=64)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--bare", type=Path)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)

    forms = {"plain": plain_form(parts_of(given.batch), given.batch), "ganlab": ganlab_form(parts_of(given.batch), given.batch)}
    if given.bare:
        sys.path.insert(0, str(given.bare))
        from baselines import CCStep

        bare = CCStep(given.batch, nhwc=True, adam="fused", item=False, freeze=True, orig=False)
        forms["bare"] = lambda: [bare() for _ in range(STEPS)]

    seconds: dict[str, list[float]] = {name: [] for name in forms}
    for form in forms.values():
        form()
    for index in range(given.rounds):
        for name in list(forms) if index % 2 == 0 else reversed(forms):
            start = time.process_time()
            forms[name]()
            seconds[name].append((time.process_time() - start) / STEPS)
    for name, times in seconds.items():
        ratio = statistics.median(plain / own for plain, own in zip(seconds["plain"], times, strict=True))
        line = f"{name:7} {statistics.median(times):7.3f} CPU-s a step   x{ratio:.2f} of plain"
        if "bare" in seconds:
            own = statistics.median(bare / own for bare, own in zip(seconds["bare"], times, strict=True))
            line += f"   x{own:.3f} of bare"
        print(line)


def parts_of(batch_images: int) -> Parts:
    sets = [f"training.batch_images={batch_images}", "dataset.identities=100", "dataset.test_identities=7"]
    spec, _ = read_spec("ccyclegan_t26", dataset="synthetic_faces", sets=sets)
    return resolve(spec, torch.device("cpu"))


def ganlab_form(parts: Parts, batch_images: int) -> Callable[[], object]:
    """Return five steps as the training loop runs them, the sums for the log included."""
    tally = Tally(parts.device)

    def steps() -> None:
        for _ in range(STEPS):
            parts.step += 1
            s = TrainingStep(parts, parts.objective.phase(parts.step), batch_images=batch_images, flip=True)
            tally.add(parts.step, run_step(parts, s))

    return steps


def plain_form(parts: Parts, batch_images: int) -> Callable[[], object]:
    """Return five steps as the published loop computes them: each label on its own, everything again for the generator."""
    encoder, decoder, discriminator = (
        parts.nets[name].to(memory_format=torch.contiguous_format) for name in ("encoder", "decoder", "discriminator")
    )
    players = {
        "generator": torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 2e-4, (0.5, 0.999), foreach=False),
        "discriminator": torch.optim.Adam(discriminator.parameters(), 2e-4, (0.5, 0.999), foreach=False),
    }
    bce = torch.nn.BCEWithLogitsLoss()
    count = 0

    def step() -> list[float]:
        nonlocal count
        batch = parts.data.bank.batch(parts.data.draws.rows(batch_images), flip=True)
        photos, own = batch.images.contiguous(), batch.labels
        index = own.argmax(1)
        others = [F.one_hot(k + (k >= index).long(), own.shape[1]).float() for k in range(own.shape[1] - 1)]

        # The discriminator sees the photos and six fakes of each, shuffled.
        with torch.no_grad():
            latents = encoder(photos)
            fakes = [decoder(latents, label) for label in others]
        order = torch.randperm(len(photos) * 7)
        verdict = discriminator(torch.cat([photos, *fakes])[order])
        is_real = torch.cat([torch.ones(len(photos)), torch.zeros(6 * len(photos))])[order]
        classes = torch.cat([own, *[torch.zeros_like(own)] * 6])[order]
        d_loss = bce(verdict.logits, is_real) + bce(verdict.classes, classes)
        losses = [d_loss.item()]
        _descend(players["discriminator"], d_loss)
        if count % STEPS == 0:
            # The generator sees each photo six times, with its label and with another, shuffled.
            order = torch.randperm(6 * len(photos))
            photos, own, asked = (torch.cat(x)[order] for x in ([photos] * 6, [own] * 6, others))
            latents = encoder(photos)
            verdict = discriminator(decoder(latents, asked))
            s = F.logsigmoid(verdict.classes)
            g_class = -(asked * (s - s.logsumexp(1, keepdim=True))).sum(1).mean()
            g_adversarial = bce(verdict.logits, torch.ones(len(photos)))
            reconstruction = (decoder(latents, own) - photos).abs().mean()
            _descend(players["generator"], 2 * g_adversarial + 2 * g_class + reconstruction)
            losses += [term.item() for term in (g_adversarial, g_class, reconstruction)]
        count += 1
        return losses

    return lambda: [step() for _ in range(STEPS)]


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


if __name__ == "__main__":
    main()
