"""Pictures that are honest, but odd: every mode, size, format, name, frame and direction."""

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from scripts.hostile_case import ANSWER, DIGIT, EITHER, ERROR, FORMATS, Case, huge, on_paper, saved, three

MODES = (
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "F",
)


def pictures() -> Iterator[Case]:
    """All of them."""
    for part in (_modes, _deep, _transparent, _sizes, _large, _extensions, _animated, _directions, _names):
        yield from part()
    yield from _blank()


def _in_mode(mode: str) -> Image.Image:
    if mode in ("La", "RGBa"):
        return on_paper({"La": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
    if mode == "PA":
        return on_paper("P").convert("PA")
    if mode in ("I", "F"):
        return on_paper("L").convert(mode)
    return on_paper("RGB").convert(mode)


def _modes() -> Iterator[Case]:
    """Every mode of Pillow's in every format that can hold it."""
    for mode in MODES:
        for suffix, kind in FORMATS.items():
            with contextlib.suppress(OSError, ValueError, KeyError):  # the format has no such mode
                yield Case("mode", f"{mode}.{suffix}", saved(_in_mode(mode), kind))


def _deep() -> Iterator[Case]:
    grey = np.asarray(on_paper("L")).astype(np.uint16) * 257
    for suffix in ("png", "tif"):
        yield Case("mode", f"16-bit.{suffix}", saved(Image.fromarray(grey), FORMATS[suffix]))
    yield Case("mode", "16-bit-12-used.png", saved(Image.fromarray(grey // 16), "PNG"), EITHER)
    big = Image.frombytes("I;16B", (200, 200), grey.astype(">u2").tobytes())
    yield Case("mode", "16-bit-big-endian.tif", saved(big, "TIFF"))
    for name, odd in (("nan", np.nan), ("infinity", np.inf), ("huge", 3e38)):
        values = np.asarray(on_paper("L")).astype(np.float32)
        values[0, 0] = odd
        digit = None if name == "huge" else DIGIT  # beside so bright a pixel there is nothing else
        must = EITHER if name == "huge" else ANSWER
        yield Case("mode", f"float-{name}.tif", saved(Image.fromarray(values), "TIFF"), must, digit)
    for compression in ("raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "jpeg", "lzma"):
        content = saved(on_paper(), "TIFF", compression=compression)
        yield Case("mode", f"{compression}.tif", content)
    for bits in (1, 2, 4):
        yield Case(
            "mode", f"palette-{bits}-bit.png", saved(on_paper("L").convert("P"), "PNG", bits=bits), EITHER
        )
    yield Case("mode", "progressive.jpg", saved(on_paper(), "JPEG", progressive=True))
    yield Case("mode", "lossless.webp", saved(on_paper(), "WEBP", lossless=True))
    yield Case("mode", "worst-quality.jpg", saved(on_paper(), "JPEG", quality=1), EITHER)


def _transparent() -> Iterator[Case]:
    """The ink in the alpha channel alone, or the paper."""
    for name, ink in (("black", 0), ("white", 255), ("red", (200, 30, 30))):
        image = Image.new("RGB", (200, 200), ink if isinstance(ink, tuple) else (ink,) * 3)
        image.putalpha(three())
        for suffix in ("png", "webp", "tif"):
            yield Case("mode", f"{name}-on-nothing.{suffix}", saved(image, FORMATS[suffix]))
    yield Case("mode", "transparent-colour.png", saved(on_paper(), "PNG", transparency=(255, 255, 255)))
    yield Case("mode", "transparent-grey.png", saved(on_paper("L"), "PNG", transparency=255))


def _sizes() -> Iterator[Case]:
    for width, height in (
        (1, 1),
        (1, 2),
        (2, 2),
        (1, 100_000),
        (100_000, 1),
        (3, 40_000),
        (40_000, 3),
        (7, 5),
    ):
        line = np.zeros((height, width), np.uint8)
        line[height // 3 : height // 2 + 1, width // 3 : width // 2 + 1] = 255
        for suffix in ("png", "bmp", "gif", "tif", "jpg"):
            with contextlib.suppress(OSError, OverflowError):  # GIF and JPEG end at 65,535
                content = saved(Image.fromarray(line), FORMATS[suffix])
                yield Case("size", f"{width}x{height}.{suffix}", content, EITHER, None)
    for side in (28, 29, 64, 280, 1000):
        yield Case(
            "size", f"three-{side}.png", saved(on_paper("L", min(side, 400)).resize((side, side)), "PNG")
        )
    yield Case("size", "small-in-large.png", saved(_pasted(2000, 150), "PNG"))
    yield Case("size", "to-the-edges.png", saved(on_paper("L").crop((52, 26, 148, 180)), "PNG"))


def _pasted(side: int, of: int) -> Image.Image:
    image = Image.new("L", (side, side), 255)
    image.paste(on_paper("L", of), (side // 5, side // 4))
    return image


def _large() -> Iterator[Case]:
    """39 megapixels that pack to a few kilobytes, and more than are read."""
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield Case("pixel bomb", f"39-megapixels-{mode}.png", partial(_bomb, mode, "PNG"))
    for mode, suffix in (("RGB", "jpg"), ("CMYK", "jpg"), ("L", "gif"), ("CMYK", "tif")):
        options = {"compression": "tiff_lzw"} if suffix == "tif" else {"quality": 20, "method": 0}
        content = partial(_bomb, mode, FORMATS[suffix], **options)
        yield Case("pixel bomb", f"39-megapixels-{mode}.{suffix}", content)
    yield Case("pixel bomb", "39-megapixels.webp", partial(_bomb, "RGB", "WEBP", method=0), ERROR)
    yield Case("pixel bomb", "17-megapixels.webp", lambda: saved(huge(4200, 4200), "WEBP", method=0))
    content = partial(_bomb, "RGB", "JPEG", progressive=True, quality=20)
    yield Case("pixel bomb", "39-megapixels-progressive.jpg", content)
    content = partial(_bomb, "F", "TIFF", compression="tiff_adobe_deflate")
    yield Case("pixel bomb", "39-megapixels-float.tif", content)
    yield Case("pixel bomb", "39-megapixels-16-bit.png", _deep_bomb)
    transparent = partial(_bomb, "RGB", "PNG", transparency=(0, 0, 0))
    yield Case("pixel bomb", "39-megapixels-transparent-colour.png", transparent)
    turned = Image.Exif()
    turned[0x0112] = 3
    content = partial(_bomb, "RGBA", "PNG", exif=turned)
    yield Case("pixel bomb", "39-megapixels-turned.png", content, EITHER, None)
    noise = np.random.default_rng(2).integers(0, 2, (2600, 2600), dtype=np.uint8) * 255
    yield Case("pixel bomb", "noise.png", saved(Image.fromarray(noise), "PNG"), EITHER, None)
    for name, mode, size in (
        ("over-40-megapixels", "L", (8000, 5001)),
        ("100-megapixels", "1", (10_000, 10_000)),
        ("40-million-by-1", "L", (39_999_999, 1)),
    ):
        content = partial(lambda mode, size: saved(Image.new(mode, size), "PNG"), mode, size)
        yield Case("pixel bomb", f"{name}.png", content, ERROR)
    yield from _parts()


def _bomb(mode: str, kind: str, **options: object) -> bytes:
    return saved(huge(6250, 6250).convert(mode), kind, **options)


def _deep_bomb() -> bytes:
    deep = np.asarray(huge(6250, 6250)).astype(np.uint16) * 257
    return saved(Image.fromarray(deep), "PNG", compress_level=1)


def _parts() -> Iterator[Case]:
    """Pictures of thousands of dots, each of which might be a digit."""
    for across in (5, 20, 80):
        dots = np.zeros((640, 640), np.uint8)
        step = 640 // across
        for row in range(across):
            for column in range(across):
                y, x = row * step + (column * 7) % (step // 2), column * step + (row * 5) % (step // 2)
                dots[y : y + step // 2 - 1, x : x + step // 2 - 1] = 255
        yield Case("pixel bomb", f"{across**2}-dots.png", saved(Image.fromarray(dots), "PNG"), EITHER, None)
    random = np.zeros((640, 640), np.uint8)
    for y, x in np.random.default_rng(5).integers(0, 632, (2000, 2)):
        random[y : y + 5, x : x + 5] = 255
    yield Case("pixel bomb", "2000-specks.png", saved(Image.fromarray(random), "PNG"), EITHER, None)


def _extensions() -> Iterator[Case]:
    """Every format under the suffix of every other, and under none."""
    for suffix, kind in FORMATS.items():
        for other in [*FORMATS, "txt", "exe", ""]:
            if other != suffix:
                yield Case("wrong extension", f"{kind.lower()}.{other}".rstrip("."), saved(on_paper(), kind))


def _animated() -> Iterator[Case]:
    first = on_paper("L").copy()
    for suffix in ("gif", "webp", "png", "tif"):
        for count in (2, 4, 400):
            must = ERROR if (suffix, count) == ("tif", 400) else ANSWER  # it is over 10 MB
            yield Case("animated", f"{count}-frames.{suffix}", partial(_frames, suffix, count), must)
        content = io.BytesIO()
        empty = Image.new("L", (200, 200), 1)
        empty.save(content, FORMATS[suffix], save_all=True, append_images=[first], duration=1)
        yield Case("animated", f"first-frame-empty.{suffix}", content.getvalue(), EITHER)
    content = io.BytesIO()
    first.save(content, "MPO", save_all=True, append_images=[first, first])
    yield Case("animated", "two-in-one.jpg", content.getvalue())


def _frames(suffix: str, count: int) -> bytes:
    content = io.BytesIO()
    others = [Image.new("L", (200, 200), level % 256) for level in range(1, count)]
    on_paper("L").copy().save(content, FORMATS[suffix], save_all=True, append_images=others, duration=1)
    return content.getvalue()


TURNS = {  # how a picture is stored, so that turned by its EXIF direction it stands upright
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def _directions() -> Iterator[Case]:
    for suffix in ("jpg", "png", "webp", "tif"):
        for direction, turn in TURNS.items():
            exif = Image.Exif()
            exif[0x0112] = direction
            stored = on_paper() if turn is None else on_paper().transpose(turn)
            content = saved(stored, FORMATS[suffix], exif=exif)
            yield Case("EXIF", f"direction-{direction}.{suffix}", content)
    for odd in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = odd
        yield Case("EXIF", f"direction-{odd}.jpg", saved(on_paper(), "JPEG", exif=exif))


def _names() -> Iterator[Case]:
    """Names that a page, a log or a shell might stumble over."""
    names = (
        "-rf.png",
        "--json.png",
        "<script>alert(1)</script>.png".replace("/", "∕"),
        "a\nb.png",
        "$(id).png",
    )
    names += ("‮gnp.exe.png", "😀.png", "%2e%2e%2f.png", "a'\"`b.png", "..png", "x" * 250 + ".png", " .png")
    names += ("**bold** [link](http:x) $x$.png", ":red[x].png", "con.png", "a\tb.png", "\x1b[31mred.png")
    for name in names:
        yield Case("name", name, saved(on_paper(), "PNG"))
        yield Case("name", f"broken {name}"[-255:], b"no picture", ERROR)
    yield _placed("link.png", _link, ANSWER)
    yield _placed("dangling.png", lambda folder: _to(folder / "dangling.png", folder / "gone"), ERROR)
    yield _placed("loop.png", lambda folder: _to(folder / "loop.png", folder / "loop.png"), ERROR)
    yield _placed("passwd.png", lambda folder: _to(folder / "passwd.png", Path("/etc/passwd")), ERROR)
    yield _placed("zero.png", lambda folder: _to(folder / "zero.png", Path("/dev/zero")), ERROR)
    yield _placed("memory.png", lambda folder: _to(folder / "memory.png", Path("/proc/self/mem")), ERROR)
    yield _placed("pipe.png", _pipe, ERROR)
    yield _placed("folder.png", _folder, ERROR)
    yield _placed("gone.png", lambda folder: folder / "gone.png", ERROR)
    yield _placed("traversal.png", lambda folder: folder / "../../../../../../etc/passwd", ERROR)
    yield _placed("too-long.png", lambda folder: folder / ("x" * 5000), ERROR)


def _placed(name: str, place: Callable[[Path], Path], must: str) -> Case:
    return Case("path", name, b"", must, place=place)


def _link(folder: Path) -> Path:
    (folder / "real.png").write_bytes(saved(on_paper(), "PNG"))
    return _to(folder / "link.png", folder / "real.png")


def _to(path: Path, target: Path) -> Path:
    path.symlink_to(target)
    return path


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.png")
    return folder / "pipe.png"


def _folder(folder: Path) -> Path:
    (folder / "folder.png").mkdir()
    return folder / "folder.png"


def _blank() -> Iterator[Case]:
    for mode, levels in (("L", (0, 128, 255)), ("RGB", ((255, 0, 0), (1, 2, 3))), ("RGBA", ((0, 0, 0, 0),))):
        for level in levels:
            content = saved(Image.new(mode, (300, 200), level), "PNG")
            yield Case("nothing drawn", f"even-{level}.png", content, ERROR)
    noise = np.random.default_rng(1).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    yield Case("nothing drawn", "noise.png", saved(Image.fromarray(noise), "PNG"), EITHER, None)
    slope = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    yield Case("nothing drawn", "slope.png", saved(Image.fromarray(slope), "PNG"), EITHER, None)
    dot = np.zeros((500, 500), np.uint8)
    dot[250, 250] = 255
    yield Case("nothing drawn", "one-pixel.png", saved(Image.fromarray(dot), "PNG"), EITHER, None)
