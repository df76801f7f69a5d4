"""Any picture → its brightness: the many forms that image files and arrays come in."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from PIL import Image

from core.errors import NoPicture, PictureError, PictureTooLarge
from core.file_parts import problem

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
WORKING_SIDE = 640  # larger pictures are reduced: a digit keeps all its detail at this size
LARGE = 4_000_000  # pixels; larger ones take up to 200 MB while they are decoded
STRIP = 1_000_000  # pixels that are converted at once
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
ORIENTATION = 0x0112  # EXIF's tag for the direction
TURNS = {  # by that direction, what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ONE_AT_A_TIME = Lock()


@runtime_checkable
class Readable(Protocol):
    """A file opened for reading bytes."""

    def read(self, size: int, /) -> bytes: ...


Picture = str | os.PathLike[str] | bytes | bytearray | Readable | Image.Image | np.ndarray


def name_of(picture: Picture, otherwise: str = "picture") -> str:
    """What to call a picture in an error: its path where it has one."""
    if isinstance(picture, (str, os.PathLike)):
        return str(picture)
    return str(getattr(picture, "filename", None) or otherwise)


def brightness(picture: Picture, *, name: str | None = None) -> Float32[np.ndarray, "h w"]:
    """A picture's brightness in [0, 1], upright, at most 640 px long.

    Args:
        picture: a path, the bytes of a file, a file open for reading bytes, a PIL image, or an array:
            (h, w), (h, w, 1), (h, w, 3) or (h, w, 4). Integers up to 255 are [0, 255], up to 65,535
            [0, 65535], others are measured by their largest; floats up to 2 are [0, 1], others [0, 255].
        name: what to call the picture in an error; its path by default.

    Raises:
        PictureError: over 10 MB or 40 megapixels (WebP: 18), of too many parts, not an image, damaged, an
            odd array, or no picture.
    """
    name = name or name_of(picture)
    if isinstance(picture, np.ndarray):
        image = _from_array(picture, name)
    elif isinstance(picture, Image.Image):
        image = picture
        _check_pixels(image, name)
    else:
        image = opened(_content(picture, name), name)
    return _strongest_channel(_opaque(_decoded(image, name)))


def _content(picture: Any, name: str) -> bytes:
    """A file's bytes, of which never more are read than are allowed."""
    try:
        if isinstance(picture, (str, os.PathLike)):
            content: Any = _read(Path(picture))
        elif isinstance(picture, (bytes, bytearray)):
            content = picture
        elif callable(getattr(picture, "read", None)):
            content = picture.read(MAX_BYTES + 1)
        else:
            content = None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PictureError(f"{name}: can't be read ({reason}). Check the path.") from error
    if not isinstance(content, (bytes, bytearray)):
        found = type(picture).__name__
        raise PictureError(
            f"{name}: a {found}{' of text' if isinstance(content, str) else ''} is no picture; give a path, "
            "a file's bytes, a file opened with 'rb', a PIL image or a NumPy array."
        )
    if len(content) > MAX_BYTES:
        raise PictureTooLarge(
            f"{name}: over {MAX_BYTES // 2**20} MB, the most that is read. Save it smaller."
        )
    return bytes(content)


def _read(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    with open(path, "rb", opener=lambda file, flags: os.open(file, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("no regular file")
        return file.read(MAX_BYTES + 1)


def opened(content: bytes, name: str) -> Image.Image:
    """A picture file of which nothing but the header was read: its size is known, its pixels come later.

    Raises:
        PictureError: as `brightness` does.
    """
    if not content:
        raise PictureError(f"{name}: the file is empty. Save it again.")
    if found := problem(content):
        raise PictureError(f"{name}: {found}. Save it again, or smaller.")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise PictureTooLarge(
            f"{name}: far more than {MAX_PIXELS // 10**6} megapixels. Save it smaller."
        ) from None
    except Exception as error:  # Pillow's parsers raise whatever a damaged file makes them
        known = ", ".join(FORMATS)
        raise NoPicture(f"{name}: not an image that can be read. Use one of {known}.") from error
    _check_pixels(image, name)
    if image.format == "JPEG":  # decodes large ones at a half, a quarter or an eighth
        image.draft(None, (2 * WORKING_SIDE, 2 * WORKING_SIDE))
    return image


def decoded_pixels(content: bytes) -> int:
    """How many pixels `brightness` would decode, by a file's header; 0 of what it would refuse.

    Args:
        content: of the file, or its first bytes.
    """
    try:
        image = opened(content, "")
    except PictureError:
        return 0
    return image.width * image.height


def _decoded(image: Image.Image, name: str) -> Image.Image:
    """The pixels, upright, at most 640 px long, in one of the modes L, LA, RGB and RGBA.

    Nothing but Pillow and NumPy work in here: a damaged file makes them raise nearly anything.
    """
    large = image.width * image.height > LARGE
    try:
        with _ONE_AT_A_TIME if large else nullcontext():
            image.load()
            # Only now: a TIFF is turned while it is loaded, and says so afterwards.
            turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
            small = _reduced(image)
        return small if turn is None else small.transpose(turn)
    except Exception as error:
        raise PictureError(f"{name}: the image is damaged ({error}). Save or send it again.") from error


def _reduced(image: Image.Image) -> Image.Image:
    """Strip by strip, as most conversions need several times the memory of the whole picture."""
    factor = -(-max(image.size) // WORKING_SIDE)
    values = _range(image) if image.mode.startswith(("I", "F")) else None
    if factor == 1:
        return _plain(image, values)
    rows = factor * max(1, STRIP // (image.width * factor))
    strips = [_plain(strip, values).reduce(factor) for strip in _strips(image, rows)]
    small = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for place, strip in enumerate(strips):
        small.paste(strip, (0, place * rows // factor))
    return small


def _strips(image: Image.Image, rows: int) -> Iterator[Image.Image]:
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _plain(image: Image.Image, values: tuple[float, float] | None) -> Image.Image:
    """In one of the modes L, LA, RGB and RGBA; `values` is the range of a mode of wide numbers."""
    if values is not None:
        low, high = values
        numbers = np.nan_to_num(np.asarray(image, dtype=np.float32), nan=0.0, posinf=high, neginf=low)
        return Image.fromarray(((numbers - low) / (high - low) * 255).clip(0, 255).astype(np.uint8))
    if image.mode == "1":
        return image.convert("L")
    clear = "transparency" in image.info and image.mode in ("L", "RGB", "P")
    if clear or image.mode in ("PA", "La", "RGBa"):
        return image.convert("LA" if image.mode == "La" else "RGBA")
    # A palette's numbers can't be averaged.
    return image if image.mode in ("L", "LA", "RGB", "RGBA") else image.convert("RGB")


def _range(image: Image.Image) -> tuple[float, float]:
    """What black and white are in a mode of wide numbers."""
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    low, high = 0.0, -np.inf
    for strip in _strips(image, max(1, STRIP // image.width)):
        numbers = np.asarray(strip, dtype=np.float32)
        numbers = numbers[np.isfinite(numbers)]
        if numbers.size:
            low, high = min(low, float(numbers.min())), max(high, float(numbers.max()))
    return low, max(high, low + 1e-6)


def _check_pixels(image: Image.Image, name: str) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise PictureTooLarge(
            f"{name}: {image.width} × {image.height} px; at most {MAX_PIXELS // 10**6} megapixels are "
            "read. Save it smaller."
        )
    if not image.width * image.height:
        raise PictureError(f"{name}: {image.width} × {image.height} px, no pixels. Send another picture.")


def _from_array(array: np.ndarray, name: str) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or not array.size:
        raise PictureError(
            f"{name}: an array of shape {array.shape}; give (h, w), (h, w, 1), (h, w, 3) or (h, w, 4)."
        )
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise PictureTooLarge(
            f"{name}: {array.shape} is over {MAX_PIXELS // 10**6} megapixels. Give a smaller array."
        )
    return Image.fromarray(np.ascontiguousarray(_bytes(array, name)))


def _bytes(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if array.dtype.kind in "iu":
        # What they are is seen from the numbers, not from their type: a list of bytes makes int64.
        most = int(array.max())
        limit = 255 if most <= 255 else 65535 if most <= 65535 else most
        return array if array.dtype == np.uint8 else (array.clip(0) / limit * 255).astype(np.uint8)
    if array.dtype.kind != "f":
        raise PictureError(f"{name}: an array of {array.dtype}; give integers or floats.")
    if not np.isfinite(array).all():
        raise PictureError(f"{name}: the array holds NaN or infinity. Replace them by numbers.")
    # Up to 2, as interpolation overshoots: bicubic scaling makes 1.02 of 1.
    scaled = array * 255 if array.max() <= 2 else array
    return scaled.clip(0, 255).round().astype(np.uint8)


def _opaque(image: Image.Image) -> Image.Image:
    """Lays a transparent picture on black or white, whichever its own colour stands out from."""
    if image.mode not in ("LA", "RGBA"):
        return image
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return image.convert("RGB")
    weights = np.asarray(alpha, dtype=np.float32)
    grey = np.asarray(image.convert("RGB").convert("L"), dtype=np.float32)
    mean = float((grey * weights).sum() / max(1.0, float(weights.sum())))
    background = Image.new("RGBA", image.size, "black" if mean > 127 else "white")
    return Image.alpha_composite(background, image).convert("RGB")


def _strongest_channel(image: Image.Image) -> Float32[np.ndarray, "h w"]:
    """Grey, unless the ink stands out clearly more in red, green or blue (yellow on white)."""
    if image.mode == "L":
        return _scaled(image)
    image = image.convert("RGB")
    grey = image.convert("L")
    channels: list[Any] = [grey, *image.split()]
    if channels[1].tobytes() == channels[2].tobytes() == channels[3].tobytes():
        return _scaled(grey)
    spreads = [float(np.asarray(channel).std()) for channel in channels]
    strongest = int(np.argmax(spreads))
    return _scaled(channels[strongest] if spreads[strongest] > 1.3 * spreads[0] else grey)


def _scaled(image: Image.Image) -> Float32[np.ndarray, "h w"]:
    return np.asarray(image, dtype=np.float32) / np.float32(255)
