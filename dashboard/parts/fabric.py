"""Fabric.js, in which the canvas speaks: paths to strokes and back."""

import math
from typing import Any

from core.strokes import Stroke, stroke

INK = "#ffffff"


def to_fabric(line: Stroke) -> dict[str, Any]:
    """A stroke as the canvas takes it."""
    first, *rest = line.points
    path = [["M", *first], *(["L", *point] for point in rest or [first])]
    xs, ys = zip(*line.points, strict=True)
    return {
        "type": "Path",
        "path": path,
        "originX": "center",
        "originY": "center",
        "left": (min(xs) + max(xs)) / 2,
        "top": (min(ys) + max(ys)) / 2,
        "fill": None,
        "stroke": INK,
        "strokeWidth": line.width,
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
    }


def from_fabric(item: dict[str, Any]) -> Stroke:
    """A Fabric.js path as a stroke, wherever the canvas's edit mode has moved, turned or scaled it."""
    points = [tuple(command[-2:]) for command in item["path"] if len(command) >= 3]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    scale_x, scale_y = item.get("scaleX", 1), item.get("scaleY", 1)
    angle = math.radians(item.get("angle", 0))
    left, top = _centre(item, scale_x, scale_y, angle)

    def placed(x: float, y: float) -> tuple[float, float]:
        dx, dy = (x - middle[0]) * scale_x, (y - middle[1]) * scale_y
        turned = dx * math.cos(angle) - dy * math.sin(angle), dx * math.sin(angle) + dy * math.cos(angle)
        return left + turned[0], top + turned[1]

    width = item.get("strokeWidth", 1) * math.sqrt(abs(scale_x * scale_y))
    return stroke([placed(*point) for point in points], width)


def _centre(item: dict[str, Any], scale_x: float, scale_y: float, angle: float) -> tuple[float, float]:
    """Where the object's centre lies: Fabric gives the place of its origin, often the top left."""
    shares = {"left": 0.5, "top": 0.5, "center": 0.0, "right": -0.5, "bottom": -0.5}
    line = item.get("strokeWidth", 1)
    dx = shares[item.get("originX", "left")] * (item.get("width", 0) + line) * scale_x
    dy = shares[item.get("originY", "top")] * (item.get("height", 0) + line) * scale_y
    return (
        item["left"] + dx * math.cos(angle) - dy * math.sin(angle),
        item["top"] + dx * math.sin(angle) + dy * math.cos(angle),
    )
