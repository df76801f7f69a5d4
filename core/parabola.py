"""Gradient descent on a parabola: a ball's heights, the curve through them, and the way down the loss.

height(t) = v·t − a·t²: two numbers to find, v and a, so that the loss is a surface one can look at.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from core.errors import TrainingError

SPEED, PULL = 9.0, 4.9  # what the ball is thrown with, m/s; half of the earth's pull, m/s²
SPREAD = 0.35  # m, of the measured heights round the true ones
POINTS, LONGEST = 20, 1.8  # measurements, and s until the last
START = (1.0, 12.0)  # v and a of the first guess
SURFACE = ((-2.0, 16.0), (-4.0, 14.0))  # the v and the a that the surface shows
FAR = 1e6  # a loss above: the path has left every picture

Line = Float64[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Heights:
    """What was measured.

    Attributes:
        t: seconds after the throw.
        y: heights, m.
    """

    t: Line
    y: Line


@dataclass(frozen=True, eq=False)
class Descent:
    """The way down.

    Attributes:
        path: v and a after each step, the first guess included.
        losses: the mean squared error there, m².
        limit: the rate above which every step leads further away.
        best: v and a of the least loss.
        diverged: whether the loss has risen above where it began.
    """

    path: Float64[np.ndarray, "steps 2"]
    losses: Float64[np.ndarray, " steps"]
    limit: float
    best: tuple[float, float]
    diverged: bool


@dataclass(frozen=True, eq=False)
class Surface:
    """The loss over a grid.

    Attributes:
        v, a: the grid's values.
        loss: m², a row for each a.
    """

    v: Line
    a: Float64[np.ndarray, " m"]
    loss: Float64[np.ndarray, "m n"]


def thrown(seed: int) -> Heights:
    """The heights of a ball, measured not quite exactly."""
    t = np.linspace(0.05, LONGEST, POINTS)
    noise = np.random.default_rng(seed).normal(0, SPREAD, POINTS)
    return Heights(t, curve(t, SPEED, PULL) + noise)


def curve(t: Line, v: float, a: float) -> Line:
    """v·t − a·t², the height after t seconds, m."""
    return v * t - a * t**2


def descend(heights: Heights, *, rate: float, steps: int) -> Descent:
    """Gradient descent on the mean squared error, from `START`.

    ∂/∂v = mean(2 e t), ∂/∂a = mean(−2 e t²), where e is the curve's height less the measured one.
    Ends early above `FAR`.

    Raises:
        TrainingError: a rate that is not above 0, or fewer than one step.
    """
    if not 0 < rate < np.inf or steps < 1:
        raise TrainingError(f"A rate of {rate} and {steps} steps can't be. Give a rate above 0 and a step.")
    t, path, losses = heights.t, [np.array(START)], []
    for _ in range(steps):
        error = curve(t, *path[-1]) - heights.y
        losses.append(float((error**2).mean()))
        if losses[-1] > FAR:
            break
        slope = np.array([(2 * error * t).mean(), (-2 * error * t**2).mean()])
        path.append(path[-1] - rate * slope)
    else:
        losses.append(float(((curve(t, *path[-1]) - heights.y) ** 2).mean()))
    design = np.stack([t, -(t**2)], axis=1)
    bend = 2 * design.T @ design / len(t)  # the loss's second derivatives, everywhere the same
    v, a = np.linalg.lstsq(design, heights.y, rcond=None)[0]
    return Descent(
        path=np.stack(path),
        losses=np.array(losses),
        limit=2 / float(np.linalg.eigvalsh(bend)[-1]),
        best=(float(v), float(a)),
        diverged=losses[-1] > losses[0],
    )


def surface(heights: Heights, *, side: int = 61) -> Surface:
    """The loss over the v and a of `SURFACE`, `side` × `side` of them."""
    v, a = (np.linspace(*ends, side) for ends in SURFACE)
    grid = v[None, :, None] * heights.t - a[:, None, None] * heights.t**2
    return Surface(v, a, ((grid - heights.y) ** 2).mean(axis=2))


def inside(path: Float64[np.ndarray, "steps 2"]) -> Bool[np.ndarray, " steps"]:
    """Which places of a path lie on the surface that is shown."""
    low, high = np.array(SURFACE).T
    return ((path >= low) & (path <= high)).all(axis=1)  # type: ignore[no-any-return]
