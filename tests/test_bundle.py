"""Files sent one by one: the same data set as the archive of them, within the same limits."""

import io

import numpy as np
import pytest

from core.archive import Archive, Limits
from core.bundle import Bundle
from core.collection import collect
from core.datasets import load_dataset, load_files
from core.errors import DatasetError
from core.own import own_datasets
from core.uploads import keep_files
from tests.test_idx import idx
from tests.zips import ONE, SEVEN, packed, png

FILES = {
    "mine/7/a.png": png(SEVEN),
    "mine/1/b é.png": png(ONE),
    "mine/1/bad.png": b"?",
    "mine/1/.DS_Store": b"",
    "mine/readme.txt": b"",
}


class Sent(io.BytesIO):
    """As the browser sends it, with the folders that it lay in."""

    def __init__(self, name: str, content: bytes):
        super().__init__(content)
        self.name = name


def sent(files: dict[str, bytes]) -> list[Sent]:
    return [Sent(name, content) for name, content in files.items()]


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))


def test_a_folder_gives_what_an_archive_of_it_gives():
    by_folder = collect(Bundle(sent(FILES), where="mine"))
    with Archive(packed(FILES), where="mine") as archive:
        by_archive = collect(archive)
    assert np.array_equal(by_folder.images, by_archive.images)
    assert by_folder.names == by_archive.names == ("1/b é.png", "7/a.png")
    assert by_folder.skipped == by_archive.skipped
    assert len(by_folder.skipped) == 2


def test_a_folder_that_was_sent_is_kept_under_its_name():
    told: list[tuple[int, int]] = []
    files = sent(FILES)
    name = keep_files(files, progress=lambda done, total: told.append((done, total)))
    data = load_dataset(name)
    assert name.startswith("own/mine-")
    assert (data.labels.tolist(), data.source, told[-1]) == ([1, 7], "mine, uploaded", (3, 3))
    assert keep_files(files) == name, "files can be read again"


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (
            {"a.png": png(SEVEN), "b.png": png(ONE), "labels.csv": b"file,label\nb.png,1\na.png,7\n"},
            "labels.csv and 2 more",
        ),
        (
            {
                "x-labels-idx1-ubyte": idx(np.array([1, 7], np.uint8)),
                "x-images-idx3-ubyte": idx(np.stack([ONE[6:34, 6:34], SEVEN[6:34, 6:34]])),
            },
            "x-images-idx3-ubyte and 1 more",
        ),
    ],
)
def test_files_that_make_a_data_set_together_are_taken(files: dict[str, bytes], source: str):
    data = load_dataset(keep_files(sent(files)))
    assert (data.labels.tolist(), data.source) == ([1, 7], f"{source}, uploaded")


def test_what_is_missing_or_more_than_needed_is_named():
    with pytest.raises(DatasetError, match=r"x-labels-idx1-ubyte: no such file\. Send it together with"):
        keep_files(sent({"x-images-idx3-ubyte": idx(ONE[None, 6:34, 6:34])}))
    with pytest.raises(DatasetError, match=r"a\.png: no usable picture .*put a CSV with the columns"):
        keep_files(sent({"a.png": png(ONE)}))
    with pytest.raises(DatasetError, match=r"No file was sent\."):
        keep_files([])
    bundle = Bundle(sent({"1/a.png": png(ONE), "b.zip": b""}) + sent({"1/a.png": png(SEVEN)}), where="x")
    data = load_files(bundle)
    assert [reason.split(": ")[1].split(";")[0] for reason in data.skipped] == [
        "an archive among other files",
        "sent twice",
    ]


@pytest.mark.parametrize(
    ("name", "problem"), [("7/../../x.png", "points out"), ("/x.png", "absolute"), ("a\\b.png", "backslash")]
)
def test_names_that_point_elsewhere_refuse_the_whole(name: str, problem: str):
    with pytest.raises(DatasetError, match=f"refused, as .* {problem}"):
        keep_files(sent({"7/a.png": png(SEVEN), name: png(SEVEN)}))
    assert own_datasets() == []


def test_too_many_and_too_large_are_refused_before_any_is_prepared():
    with pytest.raises(DatasetError, match=r"mine: 5 files; at most 4 are read\. Split them"):
        Bundle(sent(FILES), where="mine", limits=Limits(entries=4))
    with pytest.raises(DatasetError, match=r"mine: over 0 MB together, the most that is read"):
        Bundle(sent(FILES), where="mine", limits=Limits(archive=100))


def test_a_file_over_its_limit_is_named_and_its_head_is_read_alone():
    bundle = Bundle(sent({"7/a.csv": b"file,label"}), where="mine")
    assert (bundle.head("7/a.csv", 4), bundle.read("7/a.csv", most=10)) == (b"file", b"file,label")
    with pytest.raises(DatasetError, match=r"mine/7/a\.csv: over 0 MB unpacked, the most that is read"):
        bundle.read("7/a.csv", most=9)
