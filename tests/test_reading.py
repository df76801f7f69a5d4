"""Many pictures at once: what can be used is read, the rest is named."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from core.archive import Limits
from core.errors import PictureError
from core.predictor import Predictor
from core.reading import MOST, Reading, prepare_files, read_files, read_samples, taken_for, to_csv


def file_of(pixels: np.ndarray, form: str) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(content, form)
    return content.getvalue()


def read(predictor: Predictor, *files: tuple[str, bytes]) -> Reading:
    return read_files(
        predictor, prepare_files([(name, lambda content=content: content) for name, content in files])
    )


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP"])
def test_pictures_of_every_form_are_read(cnn: Predictor, seven: np.ndarray, form: str):
    (row,) = read(cnn, (f"a.{form}", file_of(seven, form))).rows
    assert row.name == f"a.{form}"
    assert row.pixels.shape == (28, 28)
    assert row.prediction.digit in range(10)


def test_bad_files_are_named_and_the_others_read_in_order(cnn: Predictor, seven: np.ndarray):
    good = file_of(seven, "PNG")
    blank = file_of(np.zeros((50, 50), dtype=np.uint8), "PNG")
    files = [("1.png", good), ("2.png", b"nonsense"), ("3.png", b""), ("4.png", blank), ("5.png", good)]
    reading = read(cnn, *files)
    assert [row.name for row in reading.rows] == ["1.png", "5.png"]
    assert [reason.split(":")[0] for reason in reading.skipped] == ["2.png", "3.png", "4.png"]


def test_more_pictures_than_fit_are_told_in_one_sentence_and_never_opened(seven: np.ndarray):
    content = file_of(seven[::10, ::10], "PNG")
    seen, opened = [], []

    def give(name: str) -> bytes:
        opened.append(name)
        return content

    files = [(f"{n}.png", lambda n=n: give(f"{n}.png")) for n in range(MOST + 3)]
    found = prepare_files(files, progress=lambda *at: seen.append(at))
    assert found.images.shape == (MOST, 28, 28)
    assert list(found.names) == opened == [f"{n}.png" for n in range(MOST)]
    assert seen[-1] == (MOST, MOST)
    (beyond,) = found.skipped
    assert beyond.startswith(f"{MOST}.png and 2 more: over {MOST} pictures at once.")


def test_no_picture_at_all_is_an_empty_reading(cnn: Predictor):
    reading = read(cnn, ("1.png", b"nonsense"))
    assert reading.rows == ()
    assert len(reading.skipped) == 1


def test_samples_have_their_labels_and_end_with_the_set(cnn: Predictor, optdigits):
    reading = read_samples(cnn, optdigits, first=len(optdigits) - 3, most=24)
    assert [row.label for row in reading.rows] == optdigits.labels[-3:].tolist()
    assert reading.rows[0].name == f"optdigits {len(optdigits) - 3}"


def test_the_table_can_be_taken_away(linear: Predictor, seven: np.ndarray, optdigits):
    reading = read(linear, ("=cmd.png", file_of(seven, "PNG")))
    (line,) = csv.DictReader(io.StringIO(to_csv(reading)))
    found = reading.rows[0].prediction
    assert list(line) == ["file", "digit", "confidence", "verdict", "unusualness", "p3", "p7"]
    assert line["file"] == "'=cmd.png"
    assert line["digit"] == str(found.digit)
    assert (line["verdict"], line["unusualness"]) == ("", ""), "no detector was fitted to this one"
    assert float(line["p3"]) == pytest.approx(found.of(3), rel=1e-6)
    labelled = to_csv(read_samples(linear, optdigits, first=0, most=2))
    assert labelled.splitlines()[0].endswith("p7,label")
    with pytest.raises(PictureError, match="no picture"):
        to_csv(Reading((), ()))


def test_what_a_model_of_two_digits_takes_the_others_for(optdigits):
    predictor = Predictor.load("linear")
    found = taken_for(predictor, optdigits)
    assert [one.digit for one in found] == list(range(10))
    assert [one.digit for one in found if one.known] == [3, 7]
    assert sum(one.n for one in found) == len(optdigits)
    for one in found:
        np.testing.assert_allclose(one.shares.sum(), 1)
        mine = predictor.predict(optdigits.images[optdigits.labels == one.digit])
        assert one.shares[0] == pytest.approx(np.mean([p.digit == 3 for p in mine]))
        assert one.confidence == pytest.approx(np.mean([p.confidence for p in mine]), abs=1e-5)
        assert one.doubted == pytest.approx(np.mean([p.verdict.kind != "digit" for p in mine]))
    assert found[3].shares[0] > 0.9
    assert found[7].shares[1] > 0.7


def test_without_a_detector_nothing_is_doubted(linear: Predictor, optdigits):
    assert {one.doubted for one in taken_for(linear, optdigits)} == {None}


def test_pictures_that_are_too_large_together_are_named(seven: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    content = file_of(seven, "PNG")
    monkeypatch.setattr("core.reading.Limits", lambda: Limits(pixels=2 * seven.size))
    found = prepare_files([(f"{n}.png", lambda: content) for n in range(4)])
    assert found.names == ("0.png", "1.png")
    assert [text.split(". ")[0] for text in found.skipped] == [
        f"{n}.png: with the pictures before it over 0 megapixels, the most that are read at once"
        for n in (2, 3)
    ]
