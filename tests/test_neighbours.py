"""The nearest training digits: by hand, from a kept bank, and only from the model's own."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from core import checkpoint, neighbours
from core.datasets import LabelledDigits
from core.errors import DatasetError
from core.neighbours import Neighbours
from core.predictor import Predictor
from tests.conftest import card_for, random_cnn

ROWS = np.array([[1, 0], [0, 1], [0.6, 0.8], [1, 0], [0.8, 0.6], [-1, 0]], dtype=np.float32)
LABELS = np.array([1, 2, 3, 4, 5, 6])
INDICES = np.array([10, 20, 30, 40, 50, 60])


@pytest.fixture
def plane() -> Neighbours:
    return Neighbours(ROWS, LABELS, INDICES)


@pytest.fixture
def training(monkeypatch, tmp_path: Path) -> LabelledDigits:
    """300 pictures of coarse squares in place of MNIST's training digits, and a data folder of its own."""
    squares = np.random.default_rng(2).random((300, 4, 4)) < 0.3
    pictures = np.kron(squares, np.full((7, 7), 255)).astype(np.uint8)
    digits = LabelledDigits("mnist-train", pictures, np.arange(300) % 10, "squares")
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    monkeypatch.setattr(neighbours.mnist, "missing", list)
    monkeypatch.setattr(neighbours, "load_dataset", {"mnist-train": digits}.__getitem__)
    monkeypatch.setattr(neighbours, "PIECE", 128)
    return digits


def banks(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "banks").iterdir())


def test_the_nearest_make_the_smallest_angle_whatever_the_length(plane: Neighbours):
    found = plane.nearest(np.array([[0, 5], [-0.1, 0]], dtype=np.float32), k=3)
    assert found.indices.tolist() == [[20, 30, 50], [60, 20, 30]]
    assert found.labels.tolist() == [[2, 3, 5], [6, 2, 3]]
    assert found.similarities == pytest.approx(np.array([[1, 0.8, 0.6], [1, 0, -0.6]]))


def test_of_equally_similar_digits_the_first_is_nearer(plane: Neighbours):
    found = plane.nearest(np.array([[2, 0]], dtype=np.float32), k=1)
    assert found.indices.tolist() == [[10]]
    assert plane.nearest(np.array([[2, 0]], dtype=np.float32), k=3).indices.tolist() == [[10, 40, 50]]
    nothing = plane.nearest(np.zeros((1, 2), dtype=np.float32), k=4)
    assert nothing.indices.tolist() == [[10, 20, 30, 40]]
    assert nothing.similarities.tolist() == [[0, 0, 0, 0]]


def test_a_bank_smaller_than_k_is_given_whole(plane: Neighbours):
    found = plane.nearest(np.array([[1, 0]], dtype=np.float32), k=50)
    assert found.indices.tolist() == [[10, 40, 50, 30, 20, 60]]
    assert plane.nearest(np.empty((0, 2), dtype=np.float32)).labels.shape == (0, 5)


def test_many_queries_find_what_scikit_learn_finds():
    generator = np.random.default_rng(3)
    bank = generator.normal(size=(2000, 16)).astype(np.float32)
    bank /= np.linalg.norm(bank, axis=1, keepdims=True)
    queries = generator.normal(size=(neighbours.QUERIES + 9, 16)).astype(np.float32)
    reference = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(bank)
    distances, places = reference.kneighbors(queries)
    found = Neighbours(bank, np.arange(2000) % 10, np.arange(2000)).nearest(queries)
    assert np.array_equal(found.indices, places)
    assert np.array_equal(found.labels, places % 10)
    assert np.abs(found.similarities - (1 - distances)).max() < 1e-5


def test_a_training_digit_is_its_own_nearest(cnn: Predictor, training: LabelledDigits):
    bank = Neighbours.of(cnn)
    assert len(bank) == 300
    found = bank.nearest(cnn.run(training.images[:50]).embedding)
    assert found.indices[:, 0].tolist() == list(range(50))
    assert np.array_equal(found.labels, found.indices % 10)
    assert found.similarities.max() <= 1
    assert found.similarities[:, 0].min() > 1 - 1e-6  # though kept in half precision
    assert (np.diff(found.similarities, axis=1) <= 0).all()


def test_progress_is_told_until_all_are_embedded_and_a_kept_bank_is_the_same(cnn, training, tmp_path):
    told: list[tuple[int, int]] = []
    fresh = Neighbours.of(cnn, progress=lambda done, total: told.append((done, total)))
    assert told == [(128, 300), (256, 300), (300, 300)]
    assert banks(tmp_path) == [f"{cnn.key[:12]}-{training.digest[:12]}.npy"]
    kept = Neighbours.of(cnn, progress=lambda done, total: told.append((done, total)))
    assert len(told) == 3
    queries = cnn.run(training.images[::7]).embedding
    for one, other in zip(
        vars(fresh.nearest(queries)).values(), vars(kept.nearest(queries)).values(), strict=True
    ):
        assert np.array_equal(one, other)


def test_another_checkpoints_bank_is_not_used(cnn, training, tmp_path: Path):
    other_model = random_cnn(seed=7)
    checkpoint.save(tmp_path / "other", other_model, card_for(other_model, "other"), [])
    other = Predictor.load(tmp_path / "other")
    Neighbours.of(cnn)
    found = Neighbours.of(other).nearest(other.run(training.images[:20]).embedding)
    assert found.indices[:, 0].tolist() == list(range(20))
    assert found.similarities[:, 0].min() > 1 - 1e-6
    assert len(banks(tmp_path)) == 2


def test_a_model_of_two_classes_is_given_digits_of_these_alone(linear, training):
    bank = Neighbours.of(linear)
    assert len(bank) == 60
    found = bank.nearest(linear.run(training.images[[13, 27]]).embedding)
    assert set(found.labels.ravel().tolist()) <= {3, 7}
    assert found.indices[:, 0].tolist() == [13, 27]  # places in the whole of mnist-train
    assert np.array_equal(found.labels, training.labels[found.indices])


def test_without_mnist_it_says_so_and_downloads_nothing(cnn, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    monkeypatch.setattr(neighbours.mnist, "download", lambda **_: pytest.fail("a download"))
    with pytest.raises(DatasetError, match=r"lacks train-images.* and train-labels.*fetch_mnist"):
        Neighbours.of(cnn)
    assert list(tmp_path.iterdir()) == []


def test_the_nearest_of_one_digit_alone():
    bank = np.eye(4, dtype=np.float32)
    labels, indices = np.array([3, 5, 3, 7]), np.array([10, 11, 12, 13])
    query = np.array([[0.1, 0.9, 0.5, 0.2]], np.float32)
    found = Neighbours(bank, labels, indices).nearest(query, k=3, digit=3)
    assert found.indices.tolist() == [[12, 10]]  # there are no more
    assert found.labels.tolist() == [[3, 3]]
    assert (np.diff(found.similarities) < 0).all()
