"""A drawing as strokes: what a link carries comes back, and what is no drawing is refused."""

import base64
import struct
import zlib

import numpy as np
import pytest

from core.errors import PictureError
from core.predictor import Predictor
from core.strokes import CANVAS_SIDE, Stroke, decode, encode, render, stroke, trace

DRAWING = (Stroke(((10, 20), (200, 20), (90, 250)), 18), Stroke(((0, 0),), 1), Stroke(((300, -20),), 280))


def test_a_link_carries_the_drawing_unchanged():
    assert decode(encode(DRAWING)) == DRAWING
    assert decode(encode(())) == decode("") == ()


def test_a_link_is_short_and_needs_no_escapes():
    wave = [(10 + x, 140 + 100 * np.sin(x / 20)) for x in range(250)]
    text = encode((stroke(wave, 18),))
    assert len(text) < 500
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_points_closer_than_three_pixels_are_left_out_but_the_last_is_kept():
    made = stroke([(0, 0), (1, 1), (2.6, 0), (3.4, 5), (4, 6)], 7.6)
    assert made == Stroke(((0, 0), (3, 0), (3, 5), (4, 6)), 8)
    assert stroke([(5, 5), (5, 5)], 3).points == ((5, 5),)


def test_points_far_outside_and_odd_widths_are_brought_in():
    made = stroke([(-1e6, 5), (1e6, 5)], 1e6)
    assert made == Stroke(((-CANVAS_SIDE, 5), (2 * CANVAS_SIDE, 5)), CANVAS_SIDE)
    assert stroke([(0, 0)], 0).width == 1


def test_a_horizontal_stroke_has_its_width_and_round_ends():
    canvas = render((Stroke(((60, 100), (200, 100)), 20),))
    assert canvas.dtype == np.uint8
    inked = canvas > 127
    assert abs(int(inked[:, 130].sum()) - 20) <= 1
    assert abs(int(inked.any(axis=0).sum()) - 160) <= 2
    assert canvas.sum() / 255 == pytest.approx(140 * 20 + np.pi * 100, rel=0.05)
    assert canvas[95, 130] == 255
    assert canvas[60, 130] == 0


def test_no_strokes_are_a_black_canvas():
    assert render(()).max() == 0


@pytest.mark.parametrize(
    "text",
    ["hello", "%%%", "é", base64.urlsafe_b64encode(zlib.compress(b"\x01")).decode(),
     base64.urlsafe_b64encode(zlib.compress(b"\x12\x00\x05\x00\x01\x00")).decode(),
     base64.urlsafe_b64encode(zlib.compress(b"\x12\x00\x00\x00")).decode(),
     base64.urlsafe_b64encode(zlib.compress(b"\x00\x00\x01\x00\x01\x00\x01\x00")).decode(),
     encode(DRAWING)[:-8]],
)  # fmt: skip
def test_what_is_no_drawing_is_refused(text: str):
    with pytest.raises(PictureError, match=r"The link's drawing can't be read .*Draw it again"):
        decode(text)


def test_a_link_that_unpacks_to_gigabytes_is_cut_short():
    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    with pytest.raises(PictureError, match="can't be read"):
        decode(bomb)


def packed(strokes: int, points: int) -> str:
    """A link of many strokes, with no cap on the way."""
    content = (struct.pack("<HH", 9, points) + bytes(4 * points)) * strokes
    return base64.urlsafe_b64encode(zlib.compress(content, 9)).decode()


@pytest.mark.parametrize(("strokes", "points"), [(201, 1), (1, 4001), (3, 1334), (5000, 1), (1, 65_535)])
def test_a_link_over_the_limits_is_refused(strokes: int, points: int):
    with pytest.raises(PictureError, match="The link's drawing can't be read"):
        decode(packed(strokes, points))


def test_a_link_at_the_limits_is_read():
    assert len(decode(packed(200, 20))) == 200


def test_no_drawing_is_too_large_for_a_link():
    endless = Stroke(tuple((n % 281, n % 7) for n in range(70_000)), 18)
    read = decode(encode((endless, *[Stroke(((5, 5), (9, 9)), 999)] * 300, Stroke((), 3))))
    assert len(read) == 200
    assert sum(len(line.points) for line in read) <= 4000
    assert (read[0].points[0], read[0].points[-1]) == (endless.points[0], endless.points[-1])
    assert read[1] == Stroke(((5, 5), (9, 9)), CANVAS_SIDE)
    odd = Stroke(((10**6, -(10**6)),), -3)
    assert decode(encode((odd,))) == (Stroke(((2 * CANVAS_SIDE, -CANVAS_SIDE),), 1),)


def test_a_stroke_keeps_at_most_4000_points_and_both_ends():
    made = stroke([(5 * (n % 50), 5 * (n // 50 % 50)) for n in range(9000)], 5)
    assert len(made.points) == 4000
    assert made.points[0] == (0, 0)
    assert made.points[-1] == (5 * (8999 % 50), 5 * (8999 // 50 % 50))


def test_a_drawing_is_rendered_once_and_nobody_can_change_it():
    first = render(DRAWING)
    assert render(tuple(DRAWING)) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1
    assert render((Stroke((), 5),)).max() == 0


def test_a_traced_digit_has_its_ink_where_it_was():
    pixels = np.zeros((28, 28), dtype=np.uint8)
    pixels[4:24, 12:15] = 255
    pixels[10, 5:8] = 120
    pixels[20, 20] = 40  # fainter than ink
    drawing = trace(pixels)
    assert len(drawing) == 21
    small = render(drawing).reshape(28, 10, 28, 10).mean(axis=(1, 3))
    assert ((small > 100) == (pixels >= 100)).all()
    assert trace(np.zeros((28, 28), dtype=np.uint8)) == ()


def test_traced_digits_are_read_as_the_digits_themselves(mnist_test):
    predictor = Predictor.load("cnn")
    images = mnist_test.images[:200]
    traced = [said.digit for said in predictor.predict([render(trace(image)) for image in images])]
    assert np.mean(np.array(traced) == [said.digit for said in predictor.predict(images)]) >= 0.97
    assert max(len(encode(trace(image))) for image in images) < 1500
