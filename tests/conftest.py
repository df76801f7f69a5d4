"""What the core's tests share: shapes checked on every call, two small checkpoints, MNIST where it lies."""

import functools
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
import torch

# Steps as small as the tests' are slower with two threads, most of all beside another program.
torch.set_num_threads(1)
# Before anything imports core: its annotations become checks while testing (an int is a float, PEP 484).
jaxtyping.install_import_hook("core", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")

from core import checkpoint, datasets, mnist  # noqa: E402
from core.card import ModelCard  # noqa: E402
from core.datasets import LabelledDigits, load_dataset  # noqa: E402
from core.models import DigitCNN, Network, ThreeSevenLinear, parameter_count  # noqa: E402
from core.predictor import Predictor  # noqa: E402

_prepare_optdigits = datasets._optdigits
_optdigits_once = functools.cache(lambda: _prepare_optdigits(None))


def _kept_optdigits(progress: datasets.Progress | None) -> LabelledDigits:
    """What the original gives, prepared once a run: a second for each of dozens of calls otherwise."""
    found = _optdigits_once()
    for done in (*range(50, len(found.images), 50), len(found.images)) if progress else ():
        progress(done, len(found.images))
    return replace(found, images=found.images.copy(), labels=found.labels.copy())


datasets._optdigits = _kept_optdigits


@pytest.fixture(scope="module", autouse=True)
def _pages_forget() -> Iterator[None]:
    """What a file's pages keep is of its own data folder, and the next file may have another."""
    yield
    if streamlit := sys.modules.get("streamlit"):
        streamlit.cache_resource.clear()
        streamlit.cache_data.clear()


def card_for(model: Network, name: str) -> ModelCard:
    """A card as training writes it, of a network that was never trained."""
    return ModelCard(
        name=name,
        architecture=type(model).__name__,
        classes=model.classes,
        parameters=parameter_count(model),
        normalisation=checkpoint.MNIST_NORMALISATION,
        source="random numbers for a test",
        split={},
        hyperparameters={},
        training={},
        metrics={},
        hashes={},
        offset=getattr(model, "offset", 0),
    )


def random_cnn(seed: int = 0, *, offset: int = 0) -> DigitCNN:
    """Batch normalisation with statistics far from (0, 1): an export that forgot them would show."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model = DigitCNN(offset=offset)
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3, generator=generator)
            layer.running_var.uniform_(0.3, 1.5, generator=generator)
            layer.weight.data.uniform_(0.7, 1.3, generator=generator)
            layer.bias.data.normal_(0.1, 0.2, generator=generator)
    return model.eval()


HISTORY = [{"epoch": 1, "loss": 2.5, "accuracy": 0.125}, {"epoch": 2, "loss": 1.5, "accuracy": 0.5}]


# What takes longest begins first, so that at the end no process works alone (pytest-xdist hands out files).
LONGEST = (
    *("everyone", "journey_errors", "journey_learn", "journeys", "journey_explain", "faults"),
    *("resume", "unusual", "scale", "explanation", "errors_page", "learn_page"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    names = [f"test_{name}" for name in LONGEST]
    items.sort(key=lambda item: names.index(item.path.stem) if item.path.stem in names else len(names))


@pytest.fixture(scope="session")
def cnn_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "cnn"
    model = random_cnn()
    checkpoint.save(folder, model, card_for(model, "cnn"), HISTORY)
    return folder


@pytest.fixture(scope="session")
def linear_folder(cnn_folder: Path) -> Path:
    """Beside the CNN, so that one folder holds both."""
    torch.manual_seed(1)
    model = ThreeSevenLinear()
    folder = cnn_folder.parent / "linear"
    checkpoint.save(folder, model, card_for(model, "linear"), [])
    return folder


@pytest.fixture(scope="session")
def cnn(cnn_folder: Path) -> Predictor:
    return Predictor.load(cnn_folder)


@pytest.fixture(scope="session")
def offset_cnn(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """A network that looks at the rows and columns 3 to 26."""
    folder = tmp_path_factory.mktemp("offset") / "cnn"
    model = random_cnn(offset=3)
    checkpoint.save(folder, model, card_for(model, "cnn"), HISTORY)
    return Predictor.load(folder)


@pytest.fixture(scope="session")
def linear(linear_folder: Path) -> Predictor:
    return Predictor.load(linear_folder)


@pytest.fixture(scope="session")
def random_pictures() -> np.ndarray:
    """A thousand pictures of noise, of many levels of brightness."""
    generator = np.random.default_rng(5)
    levels = generator.integers(20, 256, (1000, 1, 1))
    return (generator.random((1000, 28, 28)) * levels).astype(np.uint8)


@pytest.fixture(scope="session")
def mnist_files() -> Path:
    """MNIST's folder; tests never download it."""
    if mnist.missing():
        pytest.skip(f"MNIST is not in {mnist.folder()}: fetch it with `python -m core evaluate`")
    return mnist.folder()


@pytest.fixture(scope="session")
def mnist_test(mnist_files: Path) -> LabelledDigits:
    return load_dataset("mnist-test")


@pytest.fixture(scope="session")
def optdigits() -> LabelledDigits:
    return load_dataset("optdigits")


@pytest.fixture
def seven() -> np.ndarray:
    """A 280 × 280 drawing, white on black."""
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (280, 280))
    pen = ImageDraw.Draw(canvas)
    pen.line([(80, 70), (190, 70), (120, 220)], fill=255, width=18, joint="curve")
    return np.asarray(canvas)
