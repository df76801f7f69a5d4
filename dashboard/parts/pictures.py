"""Pictures inside the page's own message: no second request, so they stand there with the text."""

import base64
import io
from html import escape

import numpy as np
from PIL import Image


def data_uri(pixels: np.ndarray) -> str:
    """A PNG of an uint8 array (h, w) or (h, w, 4) as a data URI."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def image(pixels: np.ndarray, alt: str, *, style: str = "") -> str:
    """An `<img>` with sharp pixels; `alt` says what it shows."""
    return f'<img class="pixels" alt="{escape(alt)}" style="{style}" src="{data_uri(pixels)}">'
