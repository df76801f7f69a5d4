"""Digits taken apart and changed: by hand, and as the linear model's sums foretell."""

import numpy as np
import pytest

from core.explanation import explain
from core.pieces import LONGEST, pieces_of
from core.predictor import Predictor
from core.strokes import Stroke
from core.what_if import NOTHING, Edit, Paint, edited, without_each


def blank() -> np.ndarray:
    return np.zeros((28, 28), np.uint8)


def cross() -> np.ndarray:
    pixels = blank()
    pixels[4:24, 13:15] = pixels[13:15, 4:24] = 255
    return pixels


def test_a_cross_falls_into_its_four_arms():
    found = pieces_of(cross())
    arms = {int(found[5, 13]), int(found[22, 13]), int(found[13, 5]), int(found[13, 22])}
    assert len(arms) == 4
    assert 0 not in arms
    assert ((found > 0) == (cross() > 0)).all()


def test_a_long_line_is_cut_and_a_short_one_is_not():
    for length, pieces in ((8, 1), (24, 3)):
        pixels = blank()
        pixels[2 : 2 + length, 10] = 255
        found = pieces_of(pixels)
        assert found.max() == pieces == -(-length // LONGEST)
        for number in range(1, pieces + 1):  # each in one part
            rows = np.flatnonzero((found == number).any(axis=1))
            assert rows.tolist() == list(range(rows[0], rows[-1] + 1))


def test_a_ring_is_cut_all_the_way_round():
    y, x = np.indices((28, 28))
    distance = np.hypot(y - 13.5, x - 13.5)
    pixels = np.where((distance > 6) & (distance < 9), 255, 0).astype(np.uint8)
    found = pieces_of(pixels)
    assert 3 <= found.max() <= 6
    assert ((found > 0) == (pixels > 0)).all()


def test_a_dot_is_one_piece_and_paper_is_none():
    pixels = blank()
    assert pieces_of(pixels).max() == 0
    pixels[10:12, 10:12] = 200
    pixels[20, 20] = 30  # too faint for a line of its own
    assert pieces_of(pixels).max() == 1


def test_nothing_changes_nothing():
    assert np.array_equal(edited(cross(), NOTHING), cross())


def test_moves_are_what_they_say():
    pixels = blank()
    pixels[4:10, 5:8] = 200
    moved = edited(pixels, Edit(right=3, down=-2))
    assert np.array_equal(moved, np.roll(pixels, (-2, 3), axis=(0, 1)))
    assert np.array_equal(edited(pixels, Edit(turn=90)), np.rot90(pixels, -1))  # clockwise
    small = edited(cross(), Edit(size=50))
    assert small.sum() == pytest.approx(cross().sum() / 4, rel=0.15)
    both = edited(pixels, Edit(turn=90, right=3))
    assert np.array_equal(both, np.roll(np.rot90(pixels, -1), 3, axis=1))  # turned first, then moved


def test_ink_and_paper_are_drawn_where_the_pen_went():
    line = Stroke(((140, 20), (140, 260)), 20)
    inked = edited(blank(), Edit(paints=(Paint(line, erases=False),)))
    assert inked[5:23, 13:15].min() > 230
    assert inked[:, :12].max() == 0
    erased = edited(np.full((28, 28), 200, np.uint8), Edit(paints=(Paint(line, erases=True),)))
    assert erased[5:23, 13:15].max() < 20
    assert erased[:, :12].min() == 200
    paints = (Paint(line, erases=False), Paint(line, erases=True))
    assert edited(blank(), Edit(paints=paints)).max() < 70  # the last one counts


def test_strokes_grow_on_both_sides():
    thick = edited(cross(), Edit(thicker=4))
    assert (thick >= cross()).all()
    assert thick[5, 12] > 200
    assert thick[5, 10] == 0


def test_a_piece_that_is_gone_is_paper():
    pieces = pieces_of(cross())
    arm = int(pieces[5, 13])
    found = edited(cross(), Edit(gone=(arm,)))
    assert found[pieces == arm].max() == 0
    assert np.array_equal(found[pieces != arm], cross()[pieces != arm])


def test_a_pieces_cost_is_the_sum_of_its_pixels_parts(linear: Predictor):
    parts = explain(linear, cross(), method="integrated-gradients", target=3).map
    pieces = pieces_of(cross())
    found = without_each(linear, cross(), 3)
    assert len(found) == pieces.max()
    for one in found:
        assert one.cost == pytest.approx(float(parts[pieces == one.piece].sum()), abs=1e-3)
        assert one.pixels[pieces == one.piece].max() == 0
        assert one.digit == linear.predict(one.pixels).digit
    assert [one.cost for one in found] == sorted((one.cost for one in found), reverse=True)


def test_a_cost_against_another_digit_is_of_the_difference(cnn: Predictor):
    plain = {one.piece: one.cost for one in without_each(cnn, cross(), 4)}
    rival = {one.piece: one.cost for one in without_each(cnn, cross(), 9)}
    for one in without_each(cnn, cross(), 4, against=9):
        assert one.cost == pytest.approx(plain[one.piece] - rival[one.piece], abs=1e-4)


def test_without_ink_there_is_nothing_to_take_out(cnn: Predictor):
    assert without_each(cnn, blank(), 4) == ()
