"""What the tests of large evaluations share: pictures in folders, and the rows that they must give."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw
from pyarrow import parquet

from core.datasets import load_dataset
from core.predictor import Predictor
from core.tabulation import rows_of

EXACT = ("index", "name", "label", "prediction", "pixels")
CLOSE = ("confidence", "margin", "loss", "unusualness")


def draw(path: Path, seed: int, *, side: int = 60) -> None:
    """A picture of two strokes, another one for every seed."""
    generator = np.random.default_rng(seed)
    image = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(image)
    for _ in range(2):
        ends = generator.integers(side // 6, side - side // 6, 4)
        pen.line([tuple(ends[:2].tolist()), tuple(ends[2:].tolist())], fill=0, width=max(3, side // 14))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def files_of(dataset: Path) -> list[Path]:
    """The usable pictures (`*.png`) by path."""
    return sorted((dataset).glob("[0-9]/**/[!.]*.png"), key=str)


def expected_rows(dataset: Path, predictor: Predictor) -> pa.Table:
    """What one process says of a folder of class subfolders."""
    data = load_dataset(dataset)
    assert list(data.names) == [str(file.relative_to(dataset)) for file in files_of(dataset)]
    return rows_of(predictor, data.images, data.labels, names=data.names)


def assert_same_rows(folder: Path, expected: pa.Table) -> None:
    """Part after part the same rows in the same order."""
    parts = [parquet.read_table(part) for part in sorted(folder.glob("part-*.parquet"))]
    found = pa.concat_tables(part.replace_schema_metadata(None) for part in parts)
    assert found.schema == expected.schema
    for name in EXACT:
        assert found[name].to_pylist() == expected[name].to_pylist(), name
    for name in CLOSE:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5, rtol=1e-5, err_msg=name)
    probabilities = [np.array(rows["probabilities"].to_pylist()) for rows in (found, expected)]
    np.testing.assert_allclose(*probabilities, atol=1e-5)
    embeddings = [
        np.frombuffer(b"".join(rows["embedding"].to_pylist()), "<f2").astype(np.float32)
        for rows in (found, expected)
    ]
    np.testing.assert_allclose(*embeddings, atol=1e-2, rtol=1e-2)
