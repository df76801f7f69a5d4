"""Pen trajectories: read from a file written by hand, drawn at a known size."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from core.errors import DatasetError
from core.pendigits import SIZES, PenDigit, draw, read_unipen
from core.strokes import CANVAS_SIDE

UNIPEN = """.VERSION 1.0
.COMMENT 9 9 is no point of any digit
.SEGMENT DIGIT 0-2 ? "7"
.COMMENT 7 2
.PEN_DOWN
 10  90
 50  90
 30  10
.PEN_UP
.DT 30
.PEN_DOWN
 20 50
 40 50
.PEN_UP
.SEGMENT DIGIT 3 ? "1"
.PEN_DOWN
 -5 100
 -5 -20
.PEN_UP
"""


def line(*points: tuple[float, float], label: int = 1) -> PenDigit:
    return PenDigit(label, (np.array(points, dtype=np.float32),))


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def box(canvas: np.ndarray) -> tuple[int, int]:
    inked = canvas > 127
    return int(inked.any(axis=1).sum()), int(inked.any(axis=0).sum())


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_strokes_and_labels_are_read_with_y_turned_downwards(tmp_path: Path, pack):
    path = tmp_path / "digits.tra"
    path.write_bytes(pack(UNIPEN.encode()))
    seven, one = read_unipen(path)
    assert (seven.label, one.label) == (7, 1)
    strokes = [stroke.tolist() for stroke in seven.strokes]
    assert strokes == [[[10, -90], [50, -90], [30, -10]], [[20, -50], [40, -50]]]
    assert [stroke.tolist() for stroke in one.strokes] == [[[-5, -100], [-5, 20]]]


@pytest.mark.parametrize(("size", "brush"), [(70, 18), (140, 10), (230, 18), (230, 30)])
def test_a_vertical_line_is_as_wide_as_the_brush_and_as_long_as_its_size(size: int, brush: int):
    canvas = draw(line((5, 0), (5, 40)), size=size, brush=brush, generator=seeded())
    height, width = box(canvas)
    assert abs(width - brush) <= 1
    assert abs(height - (size + brush)) <= 2
    assert canvas.max() == 255


def test_size_is_the_longer_side_whatever_the_trajectorys_unit():
    for scale in (0.01, 1, 1000):
        wide = line((0, 0), (90 * scale, 0), (90 * scale, 30 * scale))
        height, width = box(draw(wide, size=140, brush=10, generator=seeded()))
        assert abs(width - 150) <= 2
        assert abs(height - (140 / 3 + 10)) <= 2


def test_a_digit_is_upright_as_written():
    canvas = draw(line((0, 0), (30, 0), (10, 60), label=7), size=140, generator=seeded())
    rows = np.flatnonzero((canvas > 127).any(axis=1))
    top, bottom = (canvas > 127)[rows[5]].sum(), (canvas > 127)[rows[-6]].sum()
    assert top > 2 * bottom


@pytest.mark.parametrize("size", SIZES.values())
def test_every_digit_lies_inside_the_canvas_with_nothing_cut(size: int):
    digit = line((0, 0), (20, 33), (-8, 50), (30, 50))
    boxes = set()
    for seed in range(40):
        canvas = draw(digit, size=size, generator=seeded(seed))
        assert canvas.shape == (CANVAS_SIDE, CANVAS_SIDE)
        for edge in (canvas[0], canvas[-1], canvas[:, 0], canvas[:, -1]):
            assert edge.max() <= 128  # points are whole px, so that half a px may lie on the edge
        boxes.add(tuple(np.argwhere(canvas > 127).min(axis=0).tolist()))
        height, width = box(canvas)
        assert abs(height - (size + 18)) <= 3
        assert width < height
    assert len(boxes) > 10, "the place must be random"


def test_the_same_generator_seed_gives_the_same_drawing():
    digit = line((0, 0), (20, 33))
    first, again, other = (draw(digit, size=70, generator=seeded(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_dot_is_a_disc_of_the_brushs_width():
    canvas = draw(line((3, 3), (3, 3)), size=140, brush=20, generator=seeded())
    height, width = box(canvas)
    assert abs(height - 20) <= 1
    assert abs(width - 20) <= 1
    assert canvas.sum() / 255 == pytest.approx(np.pi * 100, rel=0.08)


@pytest.mark.parametrize(
    "text", ["", "hello", '.SEGMENT DIGIT 0 ? "5"\n', ".SEGMENT DIGIT\n.PEN_DOWN\n1 2\n"]
)
def test_a_file_without_a_digit_says_what_it_should_hold(tmp_path: Path, text: str):
    (tmp_path / "x.tra").write_text(text)
    with pytest.raises(DatasetError, match=r"x\.tra: no digit found\. Give a UNIPEN file"):
        read_unipen(tmp_path / "x.tra")


def test_a_missing_or_damaged_file_is_named(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"gone\.tra: can't be read"):
        read_unipen(tmp_path / "gone.tra")
    whole = bytearray(gzip.compress(UNIPEN.encode()))
    for damaged in (whole[:40], whole[:20] + bytes(20) + whole[40:]):
        (tmp_path / "cut.gz").write_bytes(damaged)
        with pytest.raises(DatasetError, match=r"cut\.gz: can't be read .*Fetch the file again"):
            read_unipen(tmp_path / "cut.gz")
