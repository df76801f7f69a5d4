"""Letters of other hands: SVG paths become strokes; only the expected archives are read."""

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from core import letter_strokes
from core.errors import DatasetError
from core.letter_strokes import SOURCES, single_line, strokes
from core.pen_letters import pen_letters

FONT = """<svg xmlns="http://www.w3.org/2000/svg"><font>
<glyph unicode="o" d="M 0 0 L 9 9"/><glyph unicode="T" d="M 0 700 L 0 0 L 300 0"/><glyph unicode="x"/>
</font></svg>"""


def test_lines_and_curves_of_a_path():
    line, curve = strokes("M1,2l3,4h5M0,0c0,10 10,10 10,0")
    np.testing.assert_allclose(line, [(1, 2), (4, 6), (9, 6)])
    assert len(curve) == letter_strokes.STEPS + 1
    np.testing.assert_allclose(curve[[0, 6, -1]], [(0, 0), (5, 7.5), (10, 0)])


def test_a_path_whose_axis_points_up_is_turned_over():
    (line,) = strokes("M0 700L0 0L300 0Z", upwards=True)
    np.testing.assert_allclose(line, [(0, -700), (0, 0), (300, 0), (0, -700)])


def test_a_typeface_gives_the_letters_that_are_no_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    assert single_line() is None, "not fetched"
    file = tmp_path / "pen-letters" / "hersheytext-2.0.0.tgz"
    file.parent.mkdir()
    with tarfile.open(file, "w:gz") as archive:
        member = tarfile.TarInfo("package/svg_fonts/EMSOne.svg")
        member.size = len(FONT)
        archive.addfile(member, io.BytesIO(FONT.encode()))
    with pytest.raises(
        DatasetError, match=r"hersheytext-2\.0\.0\.tgz is damaged or another file.*make letters"
    ):
        single_line()
    monkeypatch.setattr(letter_strokes, "SINGLE_LINE", hashlib.sha256(file.read_bytes()).hexdigest())
    found = single_line()
    assert found is not None
    ((letter,),) = found
    np.testing.assert_allclose(letter, [(0, -700), (0, 0), (300, 0)])


def test_a_drawn_letter_is_ink_in_the_convention():
    pixels = pen_letters([strokes("M0 0L0 10L6 10")], 3, seed=1)
    assert pixels.shape == (3, 28, 28)
    rows = (pixels.max(axis=2) > 60).sum(axis=1)
    assert set(rows) <= {19, 20, 21}, "the longer side is 20 px"
    assert (pixels != pixels[0]).any(), "another size or slant"


def test_only_the_letters_that_were_looked_at_are_said_to_be_seen():
    assert [key for key, source in SOURCES.items() if source.seen] == ["hershey"]
