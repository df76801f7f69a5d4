"""Notes on digits: kept as written, filtered, exported; what can't be kept is refused by name."""

import csv
import io
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from core import notes
from core.errors import NotesError
from core.notes import indices_with, read, read_all, to_csv, write


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_note_comes_back_as_written():
    before = datetime.now(UTC)
    written = write("mnist-test", 947, tags=["ambiguous", "label wrong"], text=" a 9, “clearly” \n")
    assert written == read("mnist-test", 947)
    assert (written.dataset, written.index) == ("mnist-test", 947)
    assert written.tags == ("label wrong", "ambiguous"), "in the order of TAGS"
    assert written.text == "a 9, “clearly”"
    assert before <= written.changed <= datetime.now(UTC)
    assert written.changed.utcoffset() == timedelta(0)


def test_looking_makes_no_file(folder):
    assert (read("mnist-test", 1), read_all("mnist-test"), indices_with("mnist-test")) == (None, [], [])
    assert not folder.exists()


def test_a_note_belongs_to_its_data_set():
    write("mnist-test", 3, text="one")
    write("own-4f2a", 3, text="another")
    assert [note.text for note in read_all("own-4f2a")] == ["another"]
    assert read("own-4f2b", 3) is None


def test_digits_are_found_by_tag_in_order():
    write("mnist-test", 30, tags=["interesting"])
    write("mnist-test", 4, tags=["label wrong", "interesting"])
    write("mnist-test", 12, text="no tag")
    write("optdigits", 5, tags=["interesting"])
    assert indices_with("mnist-test", "interesting") == [4, 30]
    assert indices_with("mnist-test", "ambiguous") == []
    assert indices_with("mnist-test") == [4, 12, 30]


def test_writing_again_replaces_and_writing_nothing_deletes():
    first = write("mnist-test", 1, tags=["interesting"], text="old")
    second = write("mnist-test", 1, text="new")
    assert (second.tags, second.text) == ((), "new")
    assert second.changed > first.changed
    assert write("mnist-test", 1, text="  ") is None
    assert read("mnist-test", 1) is None
    assert write("mnist-test", 1) is None, "deleting nothing is no error"


def test_a_change_is_later_than_the_one_before_even_if_the_clock_is_put_back(monkeypatch):
    first = write("mnist-test", 1, text="old")

    class Yesterday(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(days=1)

    monkeypatch.setattr(notes, "datetime", Yesterday)
    assert notes._after(first.changed) == first.changed + timedelta(microseconds=1)


def test_of_two_who_edit_the_last_wins_unless_they_ask():
    seen = write("mnist-test", 1, text="seen by both").changed
    mine = write("mnist-test", 1, text="mine", expected=seen)
    with pytest.raises(NotesError, match=r"note on digit 1 of 'mnist-test' was changed by somebody else"):
        write("mnist-test", 1, text="yours", expected=seen)
    assert read("mnist-test", 1) == mine
    assert write("mnist-test", 1, text="yours").text == "yours"


def test_a_first_note_can_be_written_on_condition_that_there_is_none():
    assert write("mnist-test", 1, text="first", expected=None).text == "first"
    with pytest.raises(NotesError, match="Read it again, then write yours"):
        write("mnist-test", 1, text="second", expected=None)
    with pytest.raises(NotesError, match="Read it again, then write yours"):
        write("mnist-test", 2, text="of a deleted note", expected=datetime.now(UTC))


@pytest.mark.parametrize("text", ["'; DROP TABLE notes; --", "0\x00null", "数字 🖊", "x" * notes.TEXT_LIMIT])
def test_any_text_is_kept(text: str):
    write("a'; DELETE FROM notes; --", 1, text=text)
    assert read("a'; DELETE FROM notes; --", 1).text == text


def test_too_long_a_text_is_refused_with_the_limit():
    with pytest.raises(NotesError, match=r"has 2,001 characters; at most 2,000 are kept. Shorten it"):
        write("mnist-test", 1, text="x" * 2001)


def test_half_a_character_is_refused():
    with pytest.raises(NotesError, match="lone surrogate"):
        write("mnist-test", 1, text="\ud83d")


@pytest.mark.parametrize(
    "search", [lambda: write("m", 1, tags=["wrong"]), lambda: indices_with("m", "wrong")]
)
def test_an_unknown_tag_is_refused_with_the_known_ones(search):
    with pytest.raises(
        NotesError, match=r"Unknown tag 'wrong'\. Choose from label wrong, ambiguous, interesting"
    ):
        search()


@pytest.mark.parametrize(
    ("dataset", "index"), [("mnist-test", -1), ("mnist-test", 2**63), ("", 1), ("\udcff", 1)]
)
def test_a_place_that_cannot_be_is_refused(dataset: str, index: int):
    for attempt in (lambda: read(dataset, index), lambda: write(dataset, index, text="x")):
        with pytest.raises(NotesError, match=f"Digit {index} of data set .* can have no note"):
            attempt()


def test_the_export_can_be_read_back_and_holds_no_formula():
    note = write("mnist-test", 7, tags=["label wrong", "interesting"], text='=HYPERLINK("http://x")')
    write("mnist-test", 2, text="two\nlines, and a comma")
    header, *rows = csv.reader(io.StringIO(to_csv("mnist-test"), newline=""))
    assert header == ["index", "tags", "text", "changed"]
    assert rows[0][:3] == ["2", "", "two\nlines, and a comma"]
    assert rows[1][:3] == ["7", "label wrong; interesting", '\'=HYPERLINK("http://x")']
    assert datetime.fromisoformat(rows[1][3]) == note.changed


def test_a_damaged_database_is_named_with_the_remedy(folder):
    write("mnist-test", 1, text="x" * 1000)
    notes.path().write_bytes(b"no database at all" * 500)
    for attempt in (lambda: read("mnist-test", 1), lambda: write("mnist-test", 1, text="y")):
        with pytest.raises(
            NotesError, match=r"notes\.sqlite3 is damaged .*Move it and its -wal and -shm files away"
        ):
            attempt()


def test_a_page_that_was_overwritten_is_noticed():
    for index in range(20):
        write("mnist-test", index, text="x" * 2000)
    content = bytearray(notes.path().read_bytes())
    content[4096:8192] = b"\xff" * 4096
    notes.path().write_bytes(content)
    with pytest.raises(NotesError, match="is damaged"):
        read_all("mnist-test")


def test_tags_that_are_no_list_are_damage():
    write("mnist-test", 1, text="x")
    with sqlite3.connect(notes.path()) as database:
        database.execute("UPDATE notes SET tags = 'label wrong'")
    with pytest.raises(NotesError, match="is damaged"):
        read("mnist-test", 1)


def test_a_database_of_a_later_program_is_refused():
    write("mnist-test", 1, text="x")
    with sqlite3.connect(notes.path()) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(NotesError, match=r"has schema 2, this program reads 1\. Update the program"):
        read("mnist-test", 1)


def test_somebody_elses_database_is_left_alone(folder):
    folder.mkdir()
    with sqlite3.connect(notes.path()) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(NotesError, match=r"holds other tables \(recipes\). Move it away"):
        write("mnist-test", 1, text="x")


def test_a_folder_that_cannot_be_made_is_named(folder):
    folder.write_text("a file")
    with pytest.raises(NotesError, match=r"notes\.sqlite3 can't be used .*folder can be written"):
        write("mnist-test", 1, text="x")


def test_a_program_that_holds_the_database_is_waited_for_and_then_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(notes, "WAIT", 0.1)
    first = write("mnist-test", 1, text="x")
    other = sqlite3.connect(notes.path(), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(NotesError, match=r"was in use by another program for 0\.1 s"):
        write("mnist-test", 1, text="y")
    assert read("mnist-test", 1) == first, "reading does not wait for a writer"
    other.close()
    assert write("mnist-test", 1, text="y").text == "y"
