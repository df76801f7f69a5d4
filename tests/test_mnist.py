"""MNIST's split, and its files: fetched, verified, never half there."""

import gzip
import hashlib
import http.client
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import MNIST
from torchvision.datasets import utils as torchvision_utils

from core import mnist
from core.datasets import LabelledDigits, load_dataset
from core.errors import DatasetError
from core.paths import ROOT
from tests.test_idx import idx

# Fetches from a folder in slow, small pieces, in place of torchvision, which takes seconds to import.
FETCH = """
import hashlib, sys, time, types
from pathlib import Path
mirror = Path(sys.argv[1])

def download_url(url, into, *, filename, md5):
    content = (mirror / filename).read_bytes()
    with open(Path(into) / filename, "wb") as file:
        for start in range(0, len(content), 1 + len(content) // 20):
            file.write(content[start : start + 1 + len(content) // 20])
            file.flush()
            time.sleep(0.01)

for name in ("torchvision", "torchvision.datasets", "torchvision.datasets.utils"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["torchvision.datasets"].MNIST = types.SimpleNamespace(mirrors=["somewhere/"])
sys.modules["torchvision.datasets.utils"].download_url = download_url
from core import mnist
mnist.FILES = {name: hashlib.md5((mirror / name).read_bytes()).hexdigest() for name in mnist.FILES}
mnist.VALIDATION_SIZE = 5
print("ready", flush=True)
sys.stdin.readline()
images, labels = mnist.load("validation")
print(len(labels), int(images.sum()))
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def address(tmp_path: Path):
    """A web server of this machine in front of the mirror's folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "mirror"))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def mirror(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with four small files, their MD5s in place of MNIST's, and an empty data folder."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    generator = np.random.default_rng(0)
    md5 = {}
    for name in mnist.FILES:
        n = 10 if name.startswith("t10k") else 60
        shape = (n, 28, 28) if "images" in name else (n,)
        content = gzip.compress(idx(generator.integers(0, 10, shape)))
        (folder / name).write_bytes(content)
        md5[name] = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(mnist, "FILES", md5)
    monkeypatch.setattr(mnist, "VALIDATION_SIZE", 5)
    monkeypatch.setattr(MNIST, "mirrors", [address])
    for proxy in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path / "data"))
    return folder


def test_the_checksums_are_torchvisions():
    assert list(mnist.FILES.items()) == list(MNIST.resources)


def test_the_split_is_fixed_and_whole(mnist_files: Path, mnist_test: LabelledDigits):
    train, validation = load_dataset("mnist-train"), load_dataset("mnist-validation")
    assert (len(train), len(validation), len(mnist_test)) == (55_000, 5_000, 10_000)
    # Whoever changes this hash changes what every published number means.
    digest = hashlib.sha256(validation.labels.tobytes()).hexdigest()
    assert digest == "fea9164b3a71c4aafe1f3c80b955afe689b07f1a22d54825e3463219243772c2"
    assert np.bincount(mnist_test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    all_train = np.bincount(train.labels) + np.bincount(validation.labels)
    assert all_train.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_no_picture_is_in_two_parts(mirror: Path):
    train, validation = mnist.load("train")[0], mnist.load("validation")[0]
    whole = {image.tobytes() for image in mnist.read_idx(mnist.folder() / "train-images-idx3-ubyte.gz")}
    parts = [{image.tobytes() for image in part} for part in (train, validation)]
    assert [len(part) for part in parts] == [55, 5]
    assert parts[0] | parts[1] == whole
    assert not parts[0] & parts[1]


def test_missing_files_are_fetched_once_and_progress_is_told(mirror: Path):
    told: list[tuple[int, int]] = []
    mnist.download(progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert mnist.missing() == []
    for name in mnist.FILES:
        assert (mnist.folder() / name).read_bytes() == (mirror / name).read_bytes()
    assert sorted(path.name for path in mnist.folder().iterdir()) == sorted(mnist.FILES)
    for path in mirror.iterdir():
        path.unlink()
    assert len(mnist.load("test", progress=lambda *_: pytest.fail("fetched again"))[1]) == 10


def test_the_second_mirror_serves_when_the_first_does_not(mirror, address, monkeypatch):
    monkeypatch.setattr(MNIST, "mirrors", [address + "nowhere/", address])
    assert len(mnist.load("test")[1]) == 10


def test_a_mirror_that_breaks_off_is_passed_over(mirror, monkeypatch):
    real = torchvision_utils.download_url

    def breaks_off(url: str, *args: object, **options: object) -> None:
        if "broken" in url:
            raise http.client.IncompleteRead(b"half")
        real(url, *args, **options)

    monkeypatch.setattr(torchvision_utils, "download_url", breaks_off)
    monkeypatch.setattr(MNIST, "mirrors", ["http://broken/", *MNIST.mirrors])
    assert len(mnist.load("test")[1]) == 10
    monkeypatch.setattr(MNIST, "mirrors", ["http://broken/"])
    (mnist.folder() / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(DatasetError, match=r"train-images.* could not be fetched .*Connect to a network"):
        mnist.load("train")


def test_a_file_of_somebody_elses_is_named(mirror, monkeypatch):
    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    mnist.download()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DatasetError, match=r"t10k-images.*can't be read \(Permission denied\)\. Check who"):
        mnist.load("test")


def test_without_a_network_the_error_names_the_file_and_the_remedy(mirror, monkeypatch):
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(torchvision_utils, "download_url", fail)
    remedy = r"t10k-images-idx3-ubyte\.gz could not .*not known.*Connect to a network.*optdigits"
    (mnist.folder()).mkdir(parents=True)
    for name in list(mnist.FILES)[:2]:
        (mnist.folder() / name).write_bytes((mirror / name).read_bytes())
    with pytest.raises(DatasetError, match=remedy):
        mnist.load("test")
    assert len(mnist.load("train")[1]) == 55


def test_a_mirror_with_a_wrong_file_leaves_nothing_behind(mirror: Path):
    (mirror / "t10k-images-idx3-ubyte.gz").write_bytes(b"an error page")
    with pytest.raises(DatasetError, match=r"t10k-images-idx3-ubyte\.gz could not be fetched"):
        mnist.load("test")
    assert not (mnist.folder() / "t10k-images-idx3-ubyte.gz").exists()
    assert not [path for path in mnist.folder().iterdir() if path.is_dir()]


def test_a_damaged_file_is_named_with_its_remedy(mirror: Path):
    mnist.download()
    path = mnist.folder() / "train-labels-idx1-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte\.gz: damaged: its MD5.*Delete the file"):
        mnist.load("validation")
    path.unlink()
    assert len(mnist.load("validation")[1]) == 5


def test_two_processes_that_fetch_at_once_both_get_whole_files(mirror: Path):
    command = [sys.executable, "-c", FETCH, str(mirror)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, stderr=-1, text=True) for _ in range(2)
    ]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0], answers
    expected = f"5 {int(mnist.load('validation')[0].sum())}\n"
    assert [stdout for stdout, _ in answers] == [expected] * 2
    left = sorted(path.name for path in mnist.folder().iterdir())
    assert left == sorted(mnist.FILES)
