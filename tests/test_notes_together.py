"""Notes under many hands: threads, processes, and a process killed in the middle."""

import subprocess
import sys
import threading

import pytest

from core.errors import NotesError
from core.notes import TAGS, Note, read, read_all, write
from core.paths import ROOT

EACH = 25
SHARED = 999_999

# Says each number once its note is stored. A note's text repeats its tag, so that a torn one would show.
WRITER = """
import itertools, sys
from core.notes import TAGS, write
start, count = int(sys.argv[1]), int(sys.argv[2])
for n in itertools.islice(itertools.count(start), count or None):
    tag = TAGS[n % 3]
    write("mnist-test", n, tags=[tag], text=f"{n} {tag} " * 50)
    write("mnist-test", 999_999, tags=[tag], text=f"{n} {tag} " * 50)
    print(n, flush=True)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path / "data"))


def writer(start: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(start), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def in_threads(count: int, work) -> None:
    """Runs work(0) … work(count − 1) at the same time; an error of one is the test's."""
    barrier, errors = threading.Barrier(count), []

    def run(number: int) -> None:
        barrier.wait()
        try:
            work(number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def is_whole(note: Note) -> bool:
    number = int(note.text.split()[0])
    tag = TAGS[number % 3]
    return note.tags == (tag,) and note.text == (f"{number} {tag} " * 50).strip()


def test_threads_and_processes_write_at_once_and_one_is_killed():
    lasting, doomed = writer(10_000, EACH), writer(20_000, 0)
    written = [int(doomed.stdout.readline()) for _ in range(3)]

    def work(number: int) -> None:
        for n in range(number * 100, number * 100 + EACH):
            tag = TAGS[n % 3]
            write("mnist-test", n, tags=[tag], text=f"{n} {tag} " * 50)
            write("mnist-test", SHARED, tags=[tag], text=f"{n} {tag} " * 50)
            assert is_whole(read("mnist-test", SHARED))
            if n == 110:
                doomed.kill()

    in_threads(8, work)
    written += [int(line) for line in doomed.communicate()[0].splitlines()]
    written += [int(line) for line in lasting.communicate()[0].splitlines()]
    assert (lasting.returncode, doomed.returncode) == (0, -9)

    found = {note.index: note for note in read_all("mnist-test")}
    assert all(is_whole(note) for note in found.values())
    by_threads = {number * 100 + n for number in range(8) for n in range(EACH)}
    stored = {*by_threads, *written, SHARED}
    assert len(set(written) & set(range(10_000, 10_000 + EACH))) == EACH
    assert stored <= set(found), "what was said to be stored is there"
    assert len(set(found) - stored) <= 1, "at most the note that the killed process had no time to announce"


def test_many_may_write_the_very_first_note(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """In many new databases: without a lock a few in a hundred fail."""
    for turn in range(20):
        monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path / f"data-{turn}"))
        in_threads(8, lambda number: write("mnist-test", number, text="first"))
        assert [note.index for note in read_all("mnist-test")] == list(range(8))


def test_of_many_who_saw_the_same_note_one_may_change_it():
    seen = write("mnist-test", 1, text="seen by all").changed
    won: list[str] = []
    refused: list[str] = []

    def work(number: int) -> None:
        try:
            won.append(write("mnist-test", 1, text=str(number), expected=seen).text)
        except NotesError as error:
            refused.append(str(error))

    in_threads(8, work)
    assert (len(won), len(refused)) == (1, 7)
    assert read("mnist-test", 1).text == won[0]


def test_a_process_killed_at_any_moment_leaves_a_database_that_works():
    for turn in range(4):
        process = writer(turn * 1000, 0)
        said = [int(process.stdout.readline()) for _ in range(turn * 4 + 1)]
        process.kill()
        said += [int(line) for line in process.communicate()[0].splitlines()]
        found = {note.index: note for note in read_all("mnist-test")}
        assert set(said) <= set(found)
        assert all(is_whole(note) for note in found.values())
    assert write("mnist-test", 1, text="goes on").text == "goes on"
