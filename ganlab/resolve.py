"""Spec -> Parts: data, networks, objective and optimizers, seeded, on the device."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ganlab.contracts import Architecture, Dataset, ImageSet, NamedModel
from ganlab.data.bank import Bank, make_bank, select
from ganlab.data.cache import CachedImages, open_images
from ganlab.data.classes import keep_classes
from ganlab.data.draws import Draws
from ganlab.data.pieces import Progress, untold
from ganlab.errors import DataError, DeviceError, PluginError
from ganlab.losses import missing_methods, wrap
from ganlab.options import AdamOptions, DatasetOptions, RmsPropOptions, SgdOptions
from ganlab.registry import did_you_mean, near_names
from ganlab.spec import Chosen, ChosenLoss, Spec

# Offsets of the run's seed, so that weights, images and noise are drawn independently of each other.
_SEED_OF_DRAWS, _SEED_OF_TRAINING = 1, 2


@dataclass(kw_only=True)
class Parts:
    """What the training loop works on; everything that training changes is reachable from here."""

    device: torch.device
    autocast: torch.dtype | None  # None: fp32
    architecture: Any  # an `Architecture`
    noise: Any  # the `Architecture` whose noise the networks take: that one, or the one of a frozen network
    nets: dict[str, nn.Module]
    averaged: dict[str, nn.Module] | None  # averaged weights of the trained networks
    averaging_decay: float
    objective: Any  # an `Objective`
    losses: nn.ModuleDict  # the objective's losses by field: their buffers are part of the state
    players: Mapping[str, tuple[str, ...]]
    weights: dict[str, list[nn.Parameter]]  # player -> the weights that it moves
    optimizers: dict[str, torch.optim.Optimizer]
    term_weights: Mapping[str, float] | None
    data: Data
    step: int = 0  # steps done


@dataclass(kw_only=True)
class Data:
    """The recipe's images, opened."""

    bank: Bank
    draws: Draws
    test: ImageSet
    fingerprint: str
    notices: list[str]

    def training(self) -> ImageSet:
        """Return the images that are trained on, uint8 on the CPU, with labels 0/1 [N, K]."""
        return ImageSet(images=self.bank.images.cpu(), labels=self.bank.labels.cpu())


def resolve(spec: Spec, device: torch.device, images: CachedImages | None = None, *, progress: Progress = untold) -> Parts:
    """Return everything that `spec` names, built, seeded and placed on `device`; `images`, where they are at hand."""
    data = open_data(spec, device, images, progress)
    architecture, nets = build_networks(spec)
    losses = nn.ModuleDict({name: wrap(loss.family, _loss(loss)) for name, loss in spec.losses.items()}).to(device)
    objective = _objective(spec, losses)
    if isinstance(objective, nn.Module):  # it keeps something between steps
        objective.to(device)
    if device.type == "cuda":  # the same run gives the same bytes; cuDNN's quickest algorithms do not
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    trained = {network for networks in spec.players.values() for network in networks}
    for name, net in nets.items():
        place(net, device)
        net.train(name in trained).requires_grad_(name in trained)
    weights = {
        player: [weight for network in networks for weight in nets[network].parameters()]
        for player, networks in spec.players.items()
    }
    averaged = None
    if spec.training.averaging_decay is not None:
        averaged = {name: copy.deepcopy(nets[name]).eval().requires_grad_(False) for name in nets if name in trained}
    torch.manual_seed(spec.training.seed + _SEED_OF_TRAINING)
    return Parts(
        device=device,
        autocast=_autocast(spec.training.precision, device),
        architecture=architecture,
        noise=_whose_noise(spec, architecture),
        nets=nets,
        averaged=averaged,
        averaging_decay=spec.training.averaging_decay or 0.0,
        objective=objective,
        losses=losses,
        players=spec.players,
        weights=weights,
        optimizers={player: _optimizer(spec.optimizers[player], weights[player], device) for player in weights},
        term_weights=spec.term_weights,
        data=data,
    )


def place(net: nn.Module, device: torch.device) -> None:
    """Move a network to `device`, its convolutions' weights in the order that is quickest there."""
    net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack both at once


def choose_device(name: str) -> torch.device:
    """Return the device that a user names: auto, cpu, cuda, cuda:1, mps; raises `DeviceError` if it is not here."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind, _, index = name.partition(":")
    here = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if kind not in here or (index and not index.isdecimal()):
        raise DeviceError(f"--device {name!r}: no such device; say auto, cpu, cuda, cuda:1 or mps")
    if int(index or 0) >= here[kind]:
        found = ", ".join(f"{count} x {kind}" for kind, count in here.items() if count)
        raise DeviceError(f"--device {name}: this machine has {found}; `ganlab env` shows what torch sees")
    if kind == "cuda":
        return torch.device("cuda", int(index or 0))
    return torch.device(kind)


def open_splits(spec: Spec, progress: Progress = untold) -> CachedImages:
    """Return the recipe's images by split; raises `DataError` if they are missing, damaged or not what the set promised."""
    options, registered = spec.dataset.options, spec.dataset.registered
    assert isinstance(options, DatasetOptions)
    dataset: Dataset = registered.load_target()(options)
    cached = open_images(
        registered.full_name,
        registered.component.version,
        options.content(),
        dataset,
        size_px=spec.data.size_px,
        channels=spec.data.channels,
        progress=progress,
    )
    for split, images in cached.splits.items():
        _check_images(spec, options.data_spec().labels, split, images)
    return keep_classes(cached, options)


def open_data(spec: Spec, device: torch.device, images: CachedImages | None = None, progress: Progress = untold) -> Data:
    """Return the recipe's images (or `images`), ready to be drawn; raises `DataError` as `open_splits` does."""
    options, training = spec.dataset.options, spec.training
    assert isinstance(options, DatasetOptions)
    cached = images or open_splits(spec, progress)
    bank = make_bank(select(cached.splits, options.split, options.images), spec.data.labels, device)
    draws = Draws(
        bank.labels.cpu(),
        batch_images=training.batch_images,
        with_replacement=training.with_replacement,
        seed=training.seed + _SEED_OF_DRAWS,
    )
    return Data(
        bank=bank, draws=draws, test=cached.splits["test"], fingerprint=cached.fingerprint, notices=list(cached.notices)
    )


def build_networks(spec: Spec) -> tuple[Architecture, dict[str, nn.Module]]:
    """Return the architecture and the networks that the objective needs, on the CPU, drawn from the recipe's seed."""
    torch.manual_seed(spec.training.seed)
    architecture = _architecture(spec.architecture, spec)
    built = _built(spec.architecture, architecture, [name for name in spec.roles if name not in spec.lent])
    for name, chosen in spec.lent.items():
        built |= _built(chosen, _architecture(chosen, spec), [name])
    return architecture, {name: built[name] for name in spec.roles}


def _architecture(chosen: Chosen, spec: Spec) -> Architecture:
    architecture: Architecture = chosen.registered.load_target()(chosen.options, spec.data)
    return architecture


def _built(chosen: Chosen, architecture: Architecture, names: Sequence[str]) -> dict[str, nn.Module]:
    """Return those networks of an architecture; raises `PluginError` for what it promised and did not build."""
    built = architecture.networks()
    missing = [name for name in names if name not in built]
    if missing:
        raise PluginError(f"architecture {chosen.name} promises {', '.join(missing)} and builds {', '.join(built)}")
    return {name: built[name] for name in names}


def _whose_noise(spec: Spec, own: Architecture) -> Architecture:
    """Return the architecture of the first network that takes noise; the recipe's own if none does."""
    takers = [name for name, role in spec.roles.items() if "noise" in role.partition("->")[0].split()]
    lender = spec.lent.get(takers[0]) if takers else None
    return _architecture(lender, spec) if lender else own


def _check_images(spec: Spec, count: int, split: str, images: ImageSet) -> None:
    """Raise `DataError` for images that are not as promised, or whose labels are not of the `count` that the set names."""
    shape = (spec.data.channels, spec.data.size_px, spec.data.size_px)
    name = f"data set {spec.dataset.name}, split {split}"
    if images.images.dtype != torch.uint8 or tuple(images.images.shape[1:]) != shape:
        raise DataError(f"{name}: images are {images.images.dtype} {tuple(images.images.shape)}, not uint8 {('N', *shape)}")
    if not len(images.images):
        raise DataError(f"{name}: holds no image")
    if not count:
        return
    labels = images.labels
    if labels is None or len(labels) != len(images.images):
        raise DataError(f"{name}: {len(images.images)} images with {0 if labels is None else len(labels)} labels")
    if labels.dim() == 2 and labels.shape[1] != count:
        raise DataError(f"{name}: {labels.shape[1]} labels an image, not the {count} that the set names")
    if labels.dim() == 1 and len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < count:
        raise DataError(f"{name}: labels from {labels.min()} to {labels.max()}; the set names {count} classes")


def _loss(chosen: ChosenLoss) -> Any:
    """Return a loss; raises `PluginError` if it lacks what its family is called by, before a step calls it."""
    loss = chosen.registered.load_target()(**_arguments(chosen))
    missing = missing_methods(chosen.family, loss)
    if missing:
        registered = chosen.registered
        names = [name for name in dir(loss) if not name.startswith("_") and name not in dir(torch.nn.Module)]
        near = did_you_mean([n for name in missing for n in near_names(name, names)])
        raise PluginError(
            f"plugin {registered.plugin!r} ({registered.distribution} {registered.distribution_version}): the loss "
            f"{chosen.name!r} of the family {chosen.family} has no method {' and '.join(missing)}{near or ';'} "
            f"`ganlab plugin check {registered.plugin}` says what it must have"
        )
    return loss


def _arguments(chosen: Chosen) -> dict[str, Any]:
    """Return a component's options as constructor arguments."""
    if chosen.options is None:
        return dict(chosen.settings)
    return {name: getattr(chosen.options, name) for name in type(chosen.options).model_fields}


def evaluator(chosen: Chosen, models: Mapping[str, NamedModel]) -> Any:
    """Return the evaluator that the recipe chose; `models` are those that its options name, by option."""
    return chosen.registered.load_target()(**{**_arguments(chosen), **models})


def _objective(spec: Spec, losses: nn.ModuleDict) -> Any:
    arguments = {name: value for name, value in _arguments(spec.objective).items() if name != "weights"}
    return spec.objective.registered.load_target()(**{**arguments, **dict(losses.items())})


def _autocast(precision: str, device: torch.device) -> torch.dtype | None:
    """Return the dtype of autocast; raises `DeviceError` for a device that cannot compute in it."""
    if precision == "fp32":
        return None
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    if precision == "auto":
        return torch.bfloat16 if fast else None
    if device.type == "mps":
        raise DeviceError("training.precision: bf16 is not supported on mps; say fp32")
    return torch.bfloat16


def _optimizer(options: Any, weights: list[nn.Parameter], device: torch.device) -> torch.optim.Optimizer:
    rate = options.learning_rate
    if isinstance(options, AdamOptions):
        return torch.optim.Adam(weights, rate, options.betas, options.epsilon, fused=device.type in ("cpu", "cuda", "mps"))
    if isinstance(options, RmsPropOptions):
        return torch.optim.RMSprop(weights, rate, options.decay, options.epsilon)
    assert isinstance(options, SgdOptions)
    return torch.optim.SGD(weights, rate, options.momentum, fused=device.type in ("cpu", "cuda", "mps"))
