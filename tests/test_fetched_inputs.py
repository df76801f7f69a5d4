"""FashionMNIST and the others, fetched from a web server of this machine by torchvision's downloader."""

import gzip
import hashlib
import io
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import EMNIST, KMNIST, FashionMNIST

from core import fetched_inputs
from core.errors import DatasetError
from core.fetched_inputs import EMNIST_MEMBER, FETCHABLE, TEST_IMAGES, fetch, missing
from core.found_inputs import found_folders, read_found
from tests.test_idx import idx

PICTURES = np.arange(3 * 784).reshape(3, 28, 28).astype(np.uint8)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None: ...


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder that a web server shows, in the place of every mirror, and an empty data folder."""
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path / "data"))
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    content = gzip.compress(idx(PICTURES))
    (folder / TEST_IMAGES).write_bytes(content)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(EMNIST_MEMBER, content)
        archive.writestr("gzip/emnist-letters-train-images-idx3-ubyte.gz", b"not looked at")
    (folder / "gzip.zip").write_bytes(packed.getvalue())
    for known in (FashionMNIST, KMNIST):
        monkeypatch.setattr(known, "mirrors", [address + "nowhere/", address])
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        monkeypatch.setattr(known, "resources", [(TEST_IMAGES, md5)])
    monkeypatch.setattr(EMNIST, "url", address + "gzip.zip")
    monkeypatch.setattr(EMNIST, "md5", hashlib.md5(packed.getvalue(), usedforsecurity=False).hexdigest())
    yield folder
    server.shutdown()
    server.server_close()


def test_one_call_fetches_a_set_and_it_is_found(mirror: Path):
    assert missing() == list(FETCHABLE)
    for wanted in FETCHABLE:
        steps: list[tuple[str, int, int]] = []
        fetch(wanted, progress=lambda *step, steps=steps: steps.append(step))
        assert steps[0][1] == 0
        assert steps[-1][1] == steps[-1][2]
    assert missing() == []
    assert set(found_folders()) == {"EMNIST-letters", "FashionMNIST", "KMNIST"}
    for name, folder in found_folders().items():
        expected = PICTURES.transpose(0, 2, 1) if name.startswith("EMNIST") else PICTURES
        np.testing.assert_array_equal(read_found(folder, 9).images, expected)
    assert len(list(fetched_inputs.folder().iterdir())) == 3, "nothing is left over"


def test_what_is_not_as_expected_leaves_nothing_behind(mirror: Path):
    (mirror / TEST_IMAGES).write_bytes(b"something else")
    (mirror / "gzip.zip").unlink()
    for wanted in FETCHABLE:
        with pytest.raises(DatasetError, match=rf"^{wanted.name} could not be fetched .* Connect"):
            fetch(wanted)
    assert found_folders() == {}
    assert missing() == list(FETCHABLE)
    assert not list(fetched_inputs.folder().iterdir())
