"""Pickles of arrays come in unchanged; whatever else is in a pickle is refused, and never run."""

import collections
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from core.checkpoint import load_model
from core.errors import CheckpointError
from core.one_digit import served_weights
from core.pickled_arrays import read_arrays
from core.predictor import Predictor
from core.published import import_weights

WEIGHTS = np.random.default_rng(1).standard_normal(784)
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def written(path: Path, content: object, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["f8", "f4", ">f8"])
@pytest.mark.parametrize("shape", [(784, 1), (784,), (1, 784)])
def test_the_published_forms_are_imported_unchanged(tmp_path: Path, shape: tuple, kind: str, protocol: int):
    weights = WEIGHTS.astype(kind)
    path = written(tmp_path / "w.pkl", (weights.reshape(shape), np.array([0.5]).astype(kind)), protocol)
    first, second = read_arrays(path)
    assert first.shape == shape
    np.testing.assert_array_equal(first.reshape(-1), weights)
    np.testing.assert_array_equal(second, [0.5])


@pytest.mark.parametrize(
    "content",
    [
        [WEIGHTS.reshape(784, 1), 0.25],
        {"weights": WEIGHTS, "bias": np.float64(0.25)},
        {"bias": np.array(0.25), "weights": np.asfortranarray(WEIGHTS.reshape(1, 784))},
        {"name": "3 or 7", "params": (np.array([[0.25]]), WEIGHTS.astype("f4").astype("f8")), "note": None},
    ],
    ids=["list", "dict", "0-d", "nested"],
)
def test_an_imported_pickle_predicts_by_its_weights(tmp_path: Path, content: object, optdigits):
    path = written(tmp_path / "model.pkl", content)
    card = import_weights(path, tmp_path / "published")
    assert card.architecture == "ThreeSevenLinear"
    assert card.normalisation == {"mean": 0.0, "std": 1.0}
    assert card.source.startswith("imported from model.pkl (SHA-256 ")
    model, _ = load_model(tmp_path / "published")
    assert model.linear.bias.item() == pytest.approx(0.25)
    np.testing.assert_allclose(served_weights(tmp_path / "published").w, WEIGHTS, atol=1e-6)
    images = optdigits.images[:20]
    logits = images.reshape(-1, 784) / 255 @ WEIGHTS + 0.25
    np.testing.assert_allclose(
        Predictor.load(tmp_path / "published").run(images).logits[:, 0], logits, atol=1e-3
    )


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: object, *arguments: object):
        self.parts = function, arguments

    def __reduce__(self):
        return self.parts


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path: Path, protocol: int):
    trap = tmp_path / "ran"
    path = written(tmp_path / "evil.pkl", [WEIGHTS, Calls(os.system, f"touch {trap}")], protocol)
    with pytest.raises(CheckpointError, match=r"evil\.pkl is not a pickle of NumPy arrays alone .*never run"):
        import_weights(path, tmp_path / "new")
    assert not trap.exists()
    assert not (tmp_path / "new").exists()
    pickle.loads(path.read_bytes())
    assert trap.exists(), "the trap must work, or this test proves nothing"


@pytest.mark.parametrize(
    "call",
    [
        Calls(eval, "1"),
        Calls(getattr, "a", "upper"),
        Calls(np.fromfile, "/etc/hostname", "u1"),
        Calls(np.load, "/etc/hostname"),
        Calls(np.ones, 5),
        Calls(np.memmap, "/etc/hostname"),
        Calls(__import__, "os"),
        Calls(collections.OrderedDict),
        np.array([os.system, 1], dtype=object),
        np.array(["a", "b"]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.ma.masked_array([1.0], [True]),
        {1, 2},
        1 + 2j,
        b"bytes",
        Path("x"),
        np.dtype("f8"),
    ],
    ids=lambda call: repr(call)[:30],
)
def test_nothing_but_arrays_of_numbers_is_let_in(tmp_path: Path, call: object):
    path = written(tmp_path / "odd.pkl", [WEIGHTS, call])
    with pytest.raises(CheckpointError, match=r"odd\.pkl is not a pickle of NumPy arrays alone"):
        read_arrays(path)


def opcodes(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        pickle.dumps(WEIGHTS)[:200],
        opcodes(b"cnumpy\nndarray\n", b"}", b"\x8c\x01aK\x01s", b"b"),  # BUILD changes what it names
        opcodes(b"cnumpy.core.multiarray\n_reconstruct\n", b"N", b"}\x8c\x0c__defaults__K\x01s\x86b"),
        opcodes(b"P1\n"),  # a persistent id
        opcodes(b"\x96\xff\xff\xff\xff\xff\xff\x00\x00"),  # a terabyte of bytes that are not there
        opcodes(b"]\x94h\x00a"),  # a list that holds itself
        opcodes(b"(" * 5000 + b"l" * 5000),
        opcodes(b"\x82\x01"),  # an extension code
        opcodes(b"K\x01r\xff\xff\xff\x7f" + b"\x8f"),  # a far place in the memo, then a set
    ],
    ids=["empty", "text", "cut", "build", "defaults", "persistent", "huge", "itself", "deep", "ext", "memo"],
)
def test_hostile_and_damaged_pickles_end_in_a_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "bad.pkl"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"bad\.pkl is not a pickle of NumPy arrays alone"):
        read_arrays(path)
    written(tmp_path / "good.pkl", [WEIGHTS])
    np.testing.assert_array_equal(read_arrays(tmp_path / "good.pkl")[0], WEIGHTS)  # nothing was changed


def test_a_pickle_that_grows_when_it_is_looked_at_is_refused(tmp_path: Path):
    nested: list = [1.0] * 100
    for _ in range(8):
        nested = [nested] * 100
    with pytest.raises(CheckpointError, match="over 1000 parts"):
        read_arrays(written(tmp_path / "bomb.pkl", nested))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([WEIGHTS], r"arrays of the shapes \(784,\)\. Give 784 weights and the bias"),
        ([], "of the shapes none"),
        ([WEIGHTS, WEIGHTS, 0.0], "of the shapes"),
        ([np.ones(785), 0.0], r"\(785,\), \(1,\)"),
        ([WEIGHTS * np.nan, 0.0], "not finite"),
    ],
)
def test_arrays_of_another_model_are_refused(tmp_path: Path, content: object, message: str):
    with pytest.raises(CheckpointError, match=message):
        import_weights(written(tmp_path / "other.pkl", content), tmp_path / "new")


def test_files_that_are_not_there_or_too_large_are_named(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"gone\.pkl: can't be read"):
        read_arrays(tmp_path / "gone.pkl")
    (tmp_path / "large.pkl").write_bytes(bytes(17 * 2**20))
    with pytest.raises(CheckpointError, match=r"large\.pkl: over 16 MB"):
        read_arrays(tmp_path / "large.pkl")
