"""Fabric.js paths to strokes and back."""

import pytest

from core.strokes import Stroke
from dashboard.parts.fabric import from_fabric, to_fabric


def fabric_path(**changes: object) -> dict[str, object]:
    """What the canvas sends of a straight stroke from (100, 50) to (100, 150), 10 px wide."""
    path = [["M", 100, 50], ["Q", 100, 50, 100, 100], ["L", 100, 150]]
    place = {"originX": "left", "originY": "top", "left": 95, "top": 45, "width": 0, "height": 100}
    return {"type": "Path", "path": path, "strokeWidth": 10, **place, **changes}


def test_a_stroke_as_drawn_keeps_its_points() -> None:
    assert from_fabric(fabric_path()) == Stroke(((100, 50), (100, 100), (100, 150)), 10)


def test_a_stroke_that_was_moved_in_edit_mode_moves() -> None:
    moved = from_fabric(fabric_path(left=115, top=55))
    assert moved == Stroke(((120, 60), (120, 110), (120, 160)), 10)


def test_a_stroke_that_was_scaled_in_edit_mode_grows_about_its_corner() -> None:
    scaled = from_fabric(fabric_path(scaleX=2, scaleY=2))
    assert scaled == Stroke(((105, 55), (105, 155), (105, 255)), 20)


def test_a_stroke_that_was_turned_about_its_centre_lies_down() -> None:
    turned = from_fabric(fabric_path(originX="center", originY="center", left=100, top=100, angle=90))
    assert turned.points == ((150, 100), (100, 100), (50, 100))


@pytest.mark.parametrize("points", [((10, 20),), ((10, 20), (40, 20)), ((10, 20), (40, 80), (90, 30))])
def test_strokes_come_backfrom_fabric_as_they_went(points: tuple[tuple[int, int], ...]) -> None:
    line = Stroke(points, 18)
    back = from_fabric(to_fabric(line))
    assert back.points == points
    assert back.width == 18
