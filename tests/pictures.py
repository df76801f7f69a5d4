"""Pictures as programs send them to the API."""

import io
import json
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"


def png(picture: np.ndarray) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()


def drawn_in_a_browser() -> bytes:
    """A 7 as the published web client sends it: light green on nearly black, twice the size, opaque RGBA."""
    canvas = Image.new("RGBA", (560, 560), "#080a08")
    points = [(160, 140), (380, 140), (240, 440)]
    ImageDraw.Draw(canvas).line(points, fill="#d4f5d0", width=40, joint="curve")
    buffer = io.BytesIO()
    canvas.save(buffer, format="PNG")
    return buffer.getvalue()


def form_data(
    content: bytes, *, field: str = "file", filename: str = "digit.png"
) -> tuple[bytes, dict[str, str]]:
    """The body and the headers that a browser makes of a FormData with one file."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def problem(response: Any, status: int) -> str:
    """The detail of an answer that must be a problem document of this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = json.loads(response.text)
    assert set(document) == {"title", "status", "detail"}
    assert document["status"] == status
    assert "Traceback" not in response.text
    return str(document["detail"])
