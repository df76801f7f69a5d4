"""Whether a map of evidence holds: what becomes of the evidence when the picture is changed as it says."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from captum.metrics import infidelity as captum_infidelity
from captum.metrics import sensitivity_max as captum_sensitivity
from jaxtyping import Float32, Float64, Int64, UInt8
from torch import Tensor

from core.attribution import Task, maps_of, task_of
from core.explanation import Explanation, private_network
from core.methods import DEFAULT_LAYER, DEFAULTS, METHODS, Options
from core.outputs import softmax
from core.predictor import Predictor

SEED = 23
STEPS = 28  # of a deletion or insertion curve, 28 px each
HOLES, SMALLEST, LARGEST = 32, 3, 9  # squares blanked for the infidelity, px along a side
NUDGES, RADIUS = 4, 0.05  # noisy copies for the sensitivity, and their noise as a share of full brightness
# Equal values in a map are removed in this order.
_TIES = np.random.default_rng(SEED).permutation(28 * 28)

Images = UInt8[np.ndarray, "n 28 28"]
Maps = Float32[np.ndarray, "n 28 28"]
MapsOf = Callable[[Task], Maps]


@dataclass(frozen=True, eq=False)
class Curves:
    """What is left of the target while pixels go, or what comes while they come, the map's strongest first.

    Attributes:
        deletion: the probability of the target by pixels blanked; falls early where the map holds.
        insertion: the same by pixels put on a blank picture; rises early where the map holds.
    """

    deletion: Float64[np.ndarray, "n steps"]
    insertion: Float64[np.ndarray, "n steps"]

    @property
    def deletion_area(self) -> Float64[np.ndarray, " n"]:
        """In [0, 1], lower is better."""
        return area(self.deletion)

    @property
    def insertion_area(self) -> Float64[np.ndarray, " n"]:
        """In [0, 1], higher is better."""
        return area(self.insertion)


def area(curve: Float64[np.ndarray, "n steps"]) -> Float64[np.ndarray, " n"]:
    """The area under curves over the share of pixels, from 0 to 1, by trapezoids."""
    return np.asarray(np.trapezoid(curve, dx=1 / (curve.shape[1] - 1), axis=1))


def curves(
    predictor: Predictor,
    images: Images,
    maps: Maps,
    targets: Int64[np.ndarray, " n"],
    against: int | None = None,
) -> Curves:
    """Deletion and insertion (Petsiuk et al. 2018, arXiv:1806.07421), with black as blank.

    Args:
        predictor: the model.
        images: in MNIST's convention.
        maps: of evidence for the targets, one an image.
        targets: a known digit an image.
        against: the probability is then that of the target among the two.
    """
    ranks = _ranks(maps)
    limits = np.arange(STEPS + 1) * (28 * 28 // STEPS)
    gone = ranks[:, None] < limits[None, :, None, None]  # (n, steps, 28, 28)
    both = np.concatenate([np.where(gone, 0, images[:, None]), np.where(gone, images[:, None], 0)], axis=1)
    logits = predictor.run(both.reshape(-1, 28, 28).astype(np.uint8)).logits
    logits = logits.reshape(len(images), -1, logits.shape[1])
    found = _share(predictor, logits, targets, against)
    return Curves(found[:, : STEPS + 1], found[:, STEPS + 1 :])


def _ranks(maps: Maps) -> Int64[np.ndarray, "n 28 28"]:
    """0 for the pixel with the most evidence."""
    flat = maps.reshape(len(maps), -1)
    order = np.stack([_TIES[np.argsort(-row[_TIES], kind="stable")] for row in flat])
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(order.shape[1])[None], axis=1)
    return ranks.reshape(maps.shape)


def _share(
    predictor: Predictor,
    logits: Float32[np.ndarray, "n m k"],
    targets: Int64[np.ndarray, " n"],
    against: int | None,
) -> Float64[np.ndarray, "n m"]:
    columns = np.searchsorted(predictor.classes, targets)
    scaled = logits / np.float32(predictor.card.temperature)
    if against is not None:
        rival = np.full_like(columns, predictor.classes.index(against))
        pairs = np.stack([columns, rival], axis=1)[:, None]
        scaled, columns = np.take_along_axis(scaled, pairs, axis=2), np.zeros_like(columns)
    flat = softmax(np.ascontiguousarray(scaled.reshape(-1, scaled.shape[2])))
    shares = flat.reshape(scaled.shape)
    return np.take_along_axis(shares, columns[:, None, None], axis=2)[..., 0].astype(np.float64)


def infidelity(task: Task, maps: Maps, *, local: bool) -> Float64[np.ndarray, " n"]:
    """How badly a map foretells what blanking a square costs (Yeh et al. 2019, arXiv:1901.09392).

    E[(β·Σ map over the square − Δy)²] / E[Δy²] over random squares on the ink, with the β that fits best, so
    that a map's unit does not matter: 0 = it foretells all of them, 1 = as badly as an empty map.

    Args:
        task: the digits and the question.
        maps: one a digit.
        local: whether the map is evidence a unit of brightness, to be multiplied by what is taken away.
    """
    attributions = torch.from_numpy(maps)[:, None]

    def measured(values: Tensor, *, normalize: bool) -> Tensor:
        generator = torch.Generator().manual_seed(SEED)  # the same squares for every method

        def blank(images: Tensor) -> tuple[Tensor, Tensor]:
            kept = torch.where(_squares(images > task.black, generator), task.black, images)
            taken = images - kept
            return (taken if local else (taken != 0).to(images.dtype)), kept

        found: Tensor = captum_infidelity(
            task.evidence,
            blank,
            task.images,
            values,
            additional_forward_args=(task.directions,),
            n_perturb_samples=HOLES,
            normalize=normalize,
        )
        return found

    nothing = measured(torch.zeros_like(attributions), normalize=False)
    # An empty map has no best β: it foretells nothing.
    found = torch.nan_to_num(measured(attributions, normalize=True), nan=torch.inf)
    shares = (found / nothing.clamp(min=1e-12)).clamp(0, 1)  # captum's sums may round to just below 0
    return np.asarray(shares.numpy(), np.float64)


def _squares(ink: Tensor, generator: torch.Generator) -> Tensor:
    """A random square a picture, around a pixel of its ink: true inside."""
    flat = ink.flatten(1).double()
    middles = torch.multinomial(flat + 1e-12, 1, generator=generator)[:, 0]
    halves = torch.randint(SMALLEST, LARGEST + 1, (len(ink),), generator=generator) / 2
    places = torch.arange(28)
    down = (places[None] - middles[:, None] // 28).abs() < halves[:, None]
    across = (places[None] - middles[:, None] % 28).abs() < halves[:, None]
    return (down[:, :, None] & across[:, None, :])[:, None]


def sensitivity(task: Task, method: MapsOf) -> Float64[np.ndarray, " n"]:
    """How much a map changes at most when the picture hardly does (Yeh et al. 2019), ≥ 0, lower is calmer.

    max ‖map(x + noise) − map(x)‖ / ‖map(x)‖ over `NUDGES` noisy copies, uniform within ±5 % of brightness.

    Args:
        task: the digits and the question.
        method: gives the maps of any digits.
    """
    n = len(task.images)
    scale = task.white - task.black  # the whole way, to the network

    def explained(inputs: tuple[Tensor, ...] | Tensor) -> tuple[Tensor]:
        images = inputs if isinstance(inputs, Tensor) else inputs[0]  # captum gives the first as a tuple
        directions = task.directions.repeat_interleave(len(images) // n, dim=0)
        return (torch.from_numpy(method(replace(task, images=images, directions=directions)))[:, None],)

    generator = torch.Generator().manual_seed(SEED)

    def nudge(images: Tensor) -> Tensor:
        noise = torch.rand(images.shape, generator=generator) * 2 - 1
        return (images + noise * RADIUS * scale).clamp(task.black, task.black + scale)

    found: Tensor = captum_sensitivity(explained, task.images, nudge, n_perturb_samples=NUDGES)
    return np.asarray(found.numpy(), np.float64)


def ink_share(images: Images, maps: Maps) -> Float64[np.ndarray, " n"]:
    """The share of a map's absolute values that lies on ink, in [0, 1]; 0 for an empty map."""
    strength = np.abs(maps.astype(np.float64))
    on_ink = (strength * (images > 0)).sum(axis=(1, 2))
    return np.asarray(on_ink / np.maximum(strength.sum(axis=(1, 2)), 1e-12))


@dataclass(frozen=True, eq=False)
class MapFigures:
    """One map, measured.

    Attributes:
        curves: of the one digit.
        infidelity: see `infidelity`.
        sensitivity: see `sensitivity`.
        ink: see `ink_share`.
    """

    curves: Curves
    infidelity: float
    sensitivity: float
    ink: float


def measure(
    predictor: Predictor, image: UInt8[np.ndarray, "28 28"], found: Explanation, options: Options = DEFAULTS
) -> MapFigures:
    """All figures of one map.

    Args:
        predictor: the model that was explained.
        image: the picture that was.
        found: its map.
        options: that the method was told.
    """
    images, maps, targets = image[None], found.map[None], np.array([found.target], dtype=np.int64)
    rival = found.against if len(predictor.classes) > 2 else None
    layer = found.layer if METHODS[found.method].layered else DEFAULT_LAYER
    with private_network(predictor) as network:
        task = task_of(predictor, network, images, targets, against=rival, layer=layer, options=options)
        unfaithful = infidelity(task, maps, local=METHODS[found.method].local)
        sensitive = sensitivity(task, lambda each: maps_of(found.method, each))
    return MapFigures(
        curves(predictor, images, maps, targets, rival),
        float(unfaithful[0]),
        float(sensitive[0]),
        float(ink_share(images, maps)[0]),
    )
