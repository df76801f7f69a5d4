"""The map: neighbours stay neighbours, small sets work, a kept map is used and only for its own key."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from core import embedding_map
from core.array_cache import cache_key
from core.card import read_card
from core.embedding_map import inside, map_of, shipped_maps
from core.paths import ROOT, checkpoint_names
from core.predictor import Predictor

SHIPPED = sorted((ROOT / "checkpoints" / "maps").glob("*"))


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DIGITSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    (tmp_path / "checkpoints").mkdir()


@pytest.fixture(scope="session")
def groups() -> np.ndarray:
    """Four groups of 40 directions each, of many lengths."""
    generator = np.random.default_rng(1)
    centres = np.repeat(generator.normal(size=(4, 20)), 40, axis=0)
    rows = centres + generator.normal(0, 0.2, (160, 20))
    return (rows * generator.uniform(0.5, 5, (160, 1))).astype(np.float32)


def test_groups_stay_apart_and_neighbours_together(groups: np.ndarray):
    places = map_of(groups, key="a")
    assert (places.shape, places.dtype) == ((160, 2), np.float32)
    nearest = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(nearest, np.inf)
    assert np.array_equal(nearest.argmin(axis=1) // 40, np.arange(160) // 40)
    assert trustworthiness(groups, places, n_neighbors=10, metric="cosine") > 0.9


def test_the_same_embeddings_give_the_same_map(groups: np.ndarray):
    assert np.array_equal(map_of(groups, key="a"), map_of(groups, key="b"))


def test_progress_is_told_to_the_end_and_a_kept_map_is_not_computed(groups, monkeypatch, tmp_path):
    told: list[tuple[int, int]] = []
    fresh = map_of(groups, key="a", progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 750) for done in range(25, 751, 25)]
    assert [path.name for path in (tmp_path / "data" / "maps").iterdir()] == ["a.npy"]
    monkeypatch.setattr(embedding_map, "_computed", lambda *_: pytest.fail("computed again"))
    assert np.array_equal(map_of(groups, key="a"), fresh)


def test_another_keys_map_or_one_of_another_size_is_not_used(groups: np.ndarray):
    first = map_of(groups, key="a")
    assert not np.array_equal(map_of(groups[::-1], key="b"), first)
    assert map_of(groups[:100], key="a").shape == (100, 2)


def test_a_shipped_map_comes_before_any_other_but_only_for_its_key(groups: np.ndarray):
    shipped = np.ones((160, 2), dtype=np.float16)
    shipped_maps().write("a", shipped)
    assert np.array_equal(map_of(groups, key="a"), shipped)
    assert not np.array_equal(map_of(groups, key="b"), shipped)
    assert checkpoint_names() == []  # the folder of maps is no checkpoint


def test_few_embeddings_are_laid_out_by_their_principal_components(groups: np.ndarray):
    few = groups[:49] / np.linalg.norm(groups[:49], axis=1, keepdims=True)
    expected = PCA(n_components=2, svd_solver="full").fit_transform(few.astype(np.float64))
    assert np.abs(np.abs(map_of(few, key="a")) - np.abs(expected)).max() < 1e-3


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_the_smallest_sets_work(groups: np.ndarray, n: int):
    places = map_of(groups[:n], key="a")
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == n


def test_embeddings_of_one_direction_lie_on_one_point(groups: np.ndarray):
    assert np.array_equal(map_of(np.repeat(groups[:1], 70, axis=0), key="a"), np.zeros((70, 2)))
    places = map_of(np.concatenate([groups, groups[:30], 2 * groups[:30]]), key="b")
    assert np.isfinite(places).all()
    assert np.array_equal(places[160:190], places[:30])
    assert np.array_equal(places[190:], places[:30])


def test_embeddings_of_zeros_have_a_place(groups: np.ndarray):
    nothing = np.zeros((5, 20), dtype=np.float32)
    places = map_of(np.concatenate([groups, nothing]), key="a")
    assert np.isfinite(places).all()
    assert len(np.unique(places[160:], axis=0)) == 1
    assert not map_of(nothing, key="b").any()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_map_is_of_the_shipped_weights(path: Path):
    key = read_card(ROOT / "checkpoints" / "cnn").hashes["model.safetensors"]
    assert path.stem.startswith(f"{key[:12]}-"), "run `python -m scripts.ship_map`"
    places = np.load(path, allow_pickle=False)
    assert (places.shape, places.dtype) == ((10_000, 2), np.float16)
    assert np.isfinite(places).all()


def test_the_shipped_map_is_of_mnists_test_digits_and_keeps_their_neighbours(mnist_test):
    predictor = Predictor.load(ROOT / "checkpoints" / "cnn")
    (path,) = SHIPPED
    assert path.stem == cache_key(predictor.key, mnist_test.digest), "run `python -m scripts.ship_map`"
    chosen = np.arange(0, 10_000, 10)
    embeddings = predictor.run(mnist_test.images[chosen]).embedding
    places = np.load(path, allow_pickle=False)[chosen]
    assert trustworthiness(embeddings, places, n_neighbors=5, metric="cosine") > 0.95


def test_what_lies_inside_a_line_is_inside_whichever_way_it_was_drawn():
    points = np.array([[0, 0], [1, 1], [3, 0.5], [1.9, 1.9], [-1, 1]], dtype=np.float32)
    square = [(-0.5, -0.5), (2, -0.5), (2, 2), (-0.5, 2)]
    assert inside(points, square).tolist() == [True, True, False, True, False]
    assert inside(points, square[::-1]).tolist() == [True, True, False, True, False]
    notched = [(-2, -2), (4, -2), (4, 4), (1, 0.5), (-2, 4)]  # (1, 1) lies in the notch
    assert inside(points, notched).tolist() == [True, False, True, False, True]
