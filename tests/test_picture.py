"""The many forms that pictures come in: each gives the brightness that a person would see."""

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import picture
from core.errors import PictureError
from core.paths import ROOT
from core.picture import MAX_BYTES, WORKING_SIDE, brightness
from core.preprocess import prepare

# White ink, grey ink and none, in an uneven shape, so that a turned or mirrored picture shows.
GREY = np.zeros((30, 40), dtype=np.uint8)
GREY[5:25, 10:14] = 255
GREY[5:9, 10:30] = 128
EXPECTED = GREY.astype(np.float32) / 255
TO_GREY = Image.fromarray(GREY)


def png(image: Image.Image, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG", **options)
    return content.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "CMYK", "YCbCr", "HSV"])
def test_every_mode_gives_the_brightness_of_the_grey_picture(mode: str):
    image = TO_GREY.convert("RGB").convert(mode) if mode == "HSV" else TO_GREY.convert(mode)
    assert np.abs(brightness(image) - EXPECTED).max() <= 2 / 255


def test_black_and_white_has_two_levels():
    image = TO_GREY.point(lambda value: 255 * (value > 0)).convert("1")
    assert np.array_equal(brightness(image), (GREY > 0).astype(np.float32))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_deep_modes_take_their_largest_value_for_white(mode: str):
    image = Image.fromarray(GREY.astype({"I": np.int32, "F": np.float32}[mode]) * 3)
    assert image.mode == mode
    assert np.abs(brightness(image) - EXPECTED).max() <= 1 / 255


def test_a_float_image_with_nan_is_read_with_black_in_its_place():
    values = EXPECTED.copy()
    values[0, 0] = np.nan
    assert np.abs(brightness(Image.fromarray(values)) - EXPECTED).max() <= 1 / 255


def test_a_16_bit_png_keeps_its_levels():
    image = Image.fromarray(GREY.astype(np.uint16) * 257)
    assert image.mode == "I;16"
    assert np.abs(brightness(png(image)) - EXPECTED).max() <= 1 / 255
    half = brightness(png(Image.fromarray(GREY.astype(np.uint16) * 128)))
    assert half.max() == pytest.approx(255 * 128 / 65535, abs=1 / 255)


def test_a_palette_is_looked_up_not_read_as_grey():
    image = Image.fromarray((GREY // 127).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 128, 128, 128, 255, 255, 255])
    assert np.abs(brightness(png(image)) - EXPECTED).max() <= 1 / 255


def test_a_palette_with_transparency_is_laid_on_what_it_stands_out_from():
    image = Image.fromarray((GREY > 0).astype(np.uint8), "P")
    image.putpalette([90, 10, 200, 255, 255, 255])
    content = png(image, transparency=0)
    assert np.array_equal(brightness(content), (GREY > 0).astype(np.float32))


@pytest.mark.parametrize(("ink", "paper"), [(0, 1.0), (255, 0.0)])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_ink_on_transparency_is_laid_on_its_opposite(mode: str, ink: int, paper: float):
    layer = Image.new("L", TO_GREY.size, ink)
    image = Image.merge(mode, [layer] * (len(mode) - 1) + [TO_GREY])
    expected = EXPECTED if ink else 1 - EXPECTED
    assert np.abs(brightness(png(image)) - expected).max() <= 1 / 255
    assert brightness(image)[0, 0] == paper


def test_an_opaque_alpha_channel_changes_nothing():
    image = TO_GREY.convert("RGBA")
    assert np.array_equal(brightness(image), brightness(TO_GREY))


def test_yellow_on_white_stands_out_by_its_blue():
    image = Image.new("RGB", TO_GREY.size, "white")
    image.paste((255, 255, 0), mask=TO_GREY.point(lambda value: 255 * (value > 0)))
    assert np.array_equal(brightness(image), (GREY == 0).astype(np.float32))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int):
    stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda a: np.rot90(a),
        7: lambda a: np.rot90(np.transpose(a), 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](GREY)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(stored)).save(content, "PNG", exif=exif)
    assert np.array_equal(brightness(content.getvalue()), EXPECTED)


def test_a_large_picture_is_reduced_with_its_mean():
    large = np.kron(GREY, np.ones((100, 100), dtype=np.uint8))
    small = brightness(large)
    assert max(small.shape) <= WORKING_SIDE
    assert small.mean() == pytest.approx(EXPECTED.mean(), abs=0.01)


def test_a_large_jpeg_is_decoded_small_and_the_callers_image_stays_whole(tmp_path: Path):
    path = tmp_path / "large.jpg"
    Image.fromarray(np.kron(GREY, np.ones((80, 80), dtype=np.uint8))).save(path, quality=95)
    small = brightness(path)
    assert max(small.shape) <= WORKING_SIDE
    assert small.mean() == pytest.approx(EXPECTED.mean(), abs=0.01)
    with Image.open(path) as image:
        brightness(image)
        assert image.size == (3200, 2400)


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        GREY[:, :, None],
        np.repeat(GREY[:, :, None], 3, axis=2),
        np.dstack([GREY] * 3 + [np.full_like(GREY, 255)]),
        GREY.astype(np.uint16) * 257,
        (GREY / 255 * (2**31 - 1)).astype(np.int32),
        GREY.astype(np.int32) * 257,
        GREY.astype(np.int64) * 4000,
        EXPECTED * 1.04 - 0.02,
        EXPECTED,
        EXPECTED.astype(np.float64),
        GREY.astype(np.float32),
        np.asfortranarray(GREY),
    ],
)
def test_arrays_of_every_type_give_the_same(array: np.ndarray):
    allowed = 6 if array.dtype.kind == "f" and array.min() < 0 else 1.01  # overshoot of two hundredths
    assert np.abs(brightness(array) - EXPECTED).max() <= allowed / 255


def test_an_array_of_truths_is_black_and_white():
    assert np.array_equal(brightness(GREY > 0), (GREY > 0).astype(np.float32))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[0.5, np.nan]]), "holds NaN or infinity"),
        (np.array([[0.5, np.inf]]), "holds NaN or infinity"),
        (np.zeros(5), r"shape \(5,\); give \(h, w\)"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((1, 2, 2, 3)), r"shape \(1, 2, 2, 3\)"),
        (np.zeros((0, 5)), r"shape \(0, 5\)"),
        (np.array([["a"]]), "give integers or floats"),
        (np.zeros((2, 2), dtype=complex), "array of complex128"),
        (np.array([[None]]), "array of object"),
    ],
)
def test_odd_arrays_are_refused_with_what_they_are(array: np.ndarray, message: str):
    with pytest.raises(PictureError, match=rf"^picture: .*{message}"):
        brightness(array)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(8000, 5001), (10_000, 10_000), (65_000, 65_000)])
def test_a_picture_over_40_megapixels_is_refused_before_it_is_decoded(size: tuple[int, int], tmp_path: Path):
    path = tmp_path / "huge.png"
    path.write_bytes(claiming(*size))
    with pytest.raises(PictureError, match=r"huge\.png: .*40 megapixels.*Save it smaller"):
        brightness(path)


def test_40_megapixels_are_not_too_many():
    with pytest.raises(PictureError, match="damaged"):  # the header passes; the picture isn't there
        brightness(claiming(8000, 5000))


def test_a_picture_of_no_pixels_is_refused():
    with pytest.raises(PictureError, match=r"0 × 5 px"):
        brightness(Image.new("L", (0, 5)))


def test_a_file_over_10_mb_is_refused_unread(tmp_path: Path):
    path = tmp_path / "heavy.png"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(PictureError, match=r"heavy\.png: over 10 MB, the most that is read\. Save"):
        brightness(path)
    with pytest.raises(PictureError, match=r"upload: over 10 MB"):
        brightness(bytes(MAX_BYTES + 1), name="upload")
    with path.open("rb") as file, pytest.raises(PictureError, match=r"picture: over 10 MB"):
        brightness(file)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_every_format_is_read_and_refused_when_truncated(kind: str):
    content = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).convert("RGB").save(content, kind, lossless=True, quality=100)
    read = brightness(content.getvalue())
    assert np.corrcoef(read.ravel(), noise.ravel())[0, 1] > 0.98
    with pytest.raises(
        PictureError, match=r"cut: (the image is damaged|not an image).*(send it again|Use one)"
    ):
        brightness(content.getvalue()[: len(content.getvalue()) // 2], name="cut")


def test_an_empty_file_is_called_empty():
    with pytest.raises(PictureError, match=r"a\.png: the file is empty\. Save it again\."):
        brightness(b"", name="a.png")


@pytest.mark.parametrize("content", [b"hello", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_image_is_refused_with_the_formats_that_are(content: bytes):
    with pytest.raises(PictureError, match=r"not an image that can be read\. Use one of PNG, JPEG"):
        brightness(content)


@pytest.mark.parametrize("name", ["gone.png", "nul\0l.png", "x" * 300])
def test_a_file_that_is_not_there_is_named(name: str):
    with pytest.raises(PictureError, match=r"can't be read .*Check the path"):
        brightness(name)


def test_a_folder_is_no_picture(tmp_path: Path):
    with pytest.raises(PictureError, match=r"can't be read .*(directory|no regular file)"):
        brightness(tmp_path)


@pytest.mark.parametrize("kind", ["pipe", "zeros"])
def test_what_is_no_regular_file_is_refused_without_waiting_for_its_end(tmp_path: Path, kind: str):
    path = Path("/dev/zero") if kind == "zeros" else tmp_path / "pipe.png"
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(PictureError, match=r"can't be read \(no regular file\)"):
        brightness(path)


def small_files() -> list[bytes]:
    """One of every kind, with what parsers stumble over: EXIF, palettes, transparency, compression."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x0132] = 6, "a digit", "2020:01:01 00:00:00"
    colour = Image.merge("RGB", [TO_GREY, TO_GREY.point(lambda v: 255 - v), TO_GREY])
    ways = [
        (colour, "PNG", {"exif": exif}),
        (TO_GREY.convert("P"), "PNG", {"transparency": 0}),
        (Image.fromarray(GREY.astype(np.uint16) * 257), "PNG", {}),
        (colour, "JPEG", {"exif": exif}),
        (colour, "TIFF", {"exif": exif}),
        (TO_GREY, "TIFF", {"compression": "tiff_lzw"}),
        (colour, "WEBP", {"exif": exif, "lossless": True}),
        (TO_GREY.convert("P"), "GIF", {}),
    ]
    files = []
    for image, kind, options in ways:
        image.save(content := io.BytesIO(), kind, **options)
        files.append(content.getvalue())
    return files


@pytest.mark.filterwarnings("ignore")  # Pillow's own, on files that are odd but can be read
def test_files_with_changed_bytes_give_a_result_or_a_picture_error():
    generator = np.random.default_rng(17)
    files, outcomes = small_files(), {"read": 0, "refused": 0}
    for number in range(240):
        content = bytearray(files[number % len(files)])
        # Mostly in the head, where a format keeps what its parser decides by.
        reach = min(len(content), (60, 300, len(content))[number // len(files) % 3])
        for place in generator.integers(0, reach, 1 + number % 5):
            content[place] = generator.integers(0, 256)
        try:
            brightness(bytes(content))
            outcomes["read"] += 1
        except PictureError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 20, outcomes


@pytest.mark.parametrize("kind", [struct.error, TypeError, KeyError, IndexError, OverflowError])
@pytest.mark.parametrize("place", ["load", "getexif"])
def test_whatever_a_decoder_raises_is_a_picture_error(monkeypatch, kind: type[Exception], place: str):
    def fail(*_args: object) -> None:
        raise kind("odd")

    image = TO_GREY.copy()
    monkeypatch.setattr(Image.Image, place, fail)
    with pytest.raises(PictureError, match=r"picture: the image is damaged \('?odd'?\)"):
        brightness(image)


def test_a_fault_of_our_own_is_not_called_a_damaged_image(monkeypatch):
    monkeypatch.setattr(picture, "_strongest_channel", lambda _image: [][1])
    with pytest.raises(IndexError):
        brightness(TO_GREY)


def test_an_array_over_40_megapixels_is_refused_before_anything_is_computed():
    for array in (np.broadcast_to(np.uint8(0), (10**6, 10**6)), np.broadcast_to(np.nan, (10**5, 10**5, 3))):
        with pytest.raises(PictureError, match=r"is over 40 megapixels\. Give a smaller array"):
            brightness(array)


# In a program of its own, as the tests' checks of types would be quicker than the check that is tested.
ODD = """
import io, numpy as np
from pathlib import Path
from core.errors import CheckpointError, PictureError
from core.picture import brightness
from core.predictor import Predictor

class Tensor: pass

cnn = Predictor.load({folder!r})
for odd in (None, Tensor(), (n for n in range(3)), [[0, 255]], 3.5, io.StringIO("x")):
    for call in (brightness, cnn.predict):
        try:
            call(odd)
        except PictureError as error:
            print(error)
for name in (None, "x" * 300, 7):
    try:
        Predictor.load(name)
    except CheckpointError as error:
        print(error)
for images in ([1], np.zeros((2, 28, 28)), np.zeros((28, 28), np.uint8), np.zeros((2, 27, 28), np.uint8)):
    try:
        cnn.run(images)
    except PictureError as error:
        print(error)
"""


def test_what_is_no_picture_is_refused_with_its_type(cnn_folder: Path):
    command = [sys.executable, "-c", ODD.format(folder=str(cnn_folder))]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert len(lines) == 6 * 2 + 3 + 4
    kinds = ("NoneType", "Tensor", "generator", "list", "float", "StringIO of text")
    for number, kind in enumerate(kinds):
        for line in lines[2 * number : 2 * number + 2]:
            assert f"a {kind} is no picture; give a path" in line
    assert all("can't be a checkpoint" in line for line in lines[12:15])
    assert all("give uint8 (n, 28, 28)" in line for line in lines[15:])


def test_open_files_and_bytearrays_are_read(tmp_path: Path):
    content = png(TO_GREY)
    (tmp_path / "x.png").write_bytes(content)
    with (tmp_path / "x.png").open("rb") as file:
        forms = [bytearray(content), io.BytesIO(content), file]
        assert all(np.array_equal(brightness(form), EXPECTED) for form in forms)
    with pytest.raises(PictureError, match=r"can't be read .*closed file"):
        brightness(file)


def test_path_bytes_image_and_array_give_the_same(tmp_path: Path):
    path = tmp_path / "x.png"
    TO_GREY.save(path)
    forms = (path, str(path), path.read_bytes(), TO_GREY, GREY)
    assert len({brightness(form).tobytes() for form in forms}) == 1
    assert np.array_equal(prepare(path).pixels, prepare(GREY).pixels)
