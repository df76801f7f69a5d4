"""Stories: their figures, what can't be told, and how they are kept."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from core import stories
from core.card import ModelCard, read_card
from core.errors import StoryChanged, StoryError
from core.paths import ROOT
from core.story import BUILT_IN, LONGEST, MOST_STEPS, SHOWS, Step, Story, check, fill, read_story
from core.story_facts import FACTS, facts_of

METRICS = {
    "n": 200,
    "accuracy": 0.97,
    "errors": 6,
    "interval_95": [0.936, 0.986],
    "per_class": {"3": {"n": 100, "errors": 1}, "7": {"n": 100, "errors": 5}},
    "confusion": [[99, 1], [5, 95]],
    "ece": 0.0123,
    "reliability": {"counts": [0, 50, 150], "confidence": [0.0, 0.6, 1.0], "accuracy": [0, 0.9, 1]},
}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITSCOPE_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def bare(linear_folder: Path) -> ModelCard:
    """The card of weights that nobody measured."""
    return read_card(linear_folder)


def story(caption: str = "Of {n}: {accuracy}.") -> Story:
    return Story("One", (Step("First", caption, "draw"),))


def content(**changes: object) -> bytes:
    return json.dumps(json.loads(story().to_json()) | changes).encode()


def test_the_figures_are_the_card_s(bare: ModelCard) -> None:
    verdict = {"refuse_below": 0.867, "coverage": 0.9898, "accuracy": 0.99859}
    card = replace(bare, metrics={"mnist-test": METRICS}, verdict=verdict, training={"seconds": 44.5})
    facts = facts_of(card)
    assert fill("{accuracy} of {n}, {errors} wrong, one in {one_in}", facts) == (
        "97.00 % of 200, 6 wrong, one in 33"
    )
    assert fill("{worst_digit}: {worst_accuracy}", facts) == "7: 95.00 %"
    assert fill("{confused_true} as {confused_read}, {confused_times}", facts) == "7 as 3, 5 times"
    assert facts["confidence"] == "90.00 %"  # (50 × 0.6 + 150 × 1) / 200
    assert (facts["low"], facts["high"], facts["ece"]) == ("93.60 %", "98.60 %", "1.23 %")
    assert (facts["refuse_below"], facts["answered"], facts["answered_right"]) == (
        "86.7 %",
        "98.98 %",
        "99.86 %",
    )
    assert (facts["knows"], facts["training_time"]) == ("3 and 7", "44 seconds")


def test_what_nobody_measured_says_so(bare: ModelCard) -> None:
    assert fill("{accuracy}, {others_accuracy}, {training_time}", facts_of(bare)) == (
        "not measured, not measured, not measured"
    )


def test_a_model_without_an_error_confuses_nothing(bare: ModelCard) -> None:
    perfect = METRICS | {"errors": 0, "confusion": [[100, 0], [0, 100]]}
    facts = facts_of(replace(bare, metrics={"mnist-test": perfect}))
    assert (facts["confused_true"], facts["one_in"]) == (None, None)


@pytest.mark.parametrize("name", ["cnn", "linear"])
def test_the_built_in_story_is_told_in_full_of_both_models(name: str) -> None:
    facts = facts_of(read_card(ROOT / "checkpoints" / name))
    told = [fill(step.caption, facts) for step in check(BUILT_IN).steps]
    assert 6 <= len(told) <= 8
    assert not any("{" in text or "not measured" in text for text in told)
    assert set(facts) == set(FACTS)


def test_an_unknown_figure_is_named_with_the_nearest_one() -> None:
    wanted = r"Step 1, caption: There is no figure \{acuracy\}\. Did you mean \{accuracy\}\?"
    with pytest.raises(StoryError, match=wanted):
        check(story("{acuracy}"))
    with pytest.raises(StoryError, match=r"There is no figure \{xyz\}\. There are model, knows"):
        check(story("{xyz}"))
    assert fill("{ n }} and {", {"n": "5"}) == "5} and {"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": "  "}, "The story has no title"),
        ({"title": "x" * 81}, "the title has 81 characters. Shorten it to 80"),
        ({"title": "\ud800"}, "the title holds half a character"),
        ({"title": 3}, "title is 3, not text"),
        ({"steps": []}, "has 0 steps. Give it 1 to 20"),
        ({"steps": [{"title": "a"}]}, "Step 1 needs exactly title, caption, shows; it has title"),
        ({"steps": ["a"]}, "Step 1 needs exactly title, caption, shows; it has 'a'"),
        (
            {"steps": [{"title": "a", "caption": "", "shows": "magic"}]},
            "shows 'magic'. Choose one of samples",
        ),
        (
            {"steps": [{"title": "a", "caption": "x" * 601, "shows": "draw"}]},
            "the caption has 601 characters",
        ),
        ({"schema_version": 2}, "schema version 2; this program reads 1"),
        ({"more": 1}, "needs exactly schema_version, title, steps; it has"),
    ],
)
def test_what_is_no_story_is_refused_with_the_reason(changes: dict[str, object], words: str) -> None:
    with pytest.raises(StoryError) as found:
        read_story(content(**changes), "mine.json")
    assert str(found.value).startswith("mine.json: ")
    assert words in str(found.value)


def test_what_is_no_json_or_too_large_is_refused() -> None:
    for bad in (b"{", b"\xff\xfe", b"[" * 99_999):
        with pytest.raises(StoryError, match=r"mine\.json is no JSON"):
            read_story(bad, "mine.json")
    with pytest.raises(StoryError, match="100,001 bytes; a story has at most 100,000"):
        read_story(b" " * 100_001, "mine.json")


def test_a_story_comes_back_as_it_was_kept(data: Path) -> None:
    longest = Story("x" * LONGEST["title"], BUILT_IN.steps * (MOST_STEPS // len(BUILT_IN.steps)))
    assert stories.names() == []
    assert stories.add(longest, "Für Elise: Übung 1!") == "fur-elise-ubung-1"
    assert stories.add(story(), "Für Elise: Übung 1") == "fur-elise-ubung-1-2"
    assert stories.names() == ["fur-elise-ubung-1", "fur-elise-ubung-1-2"]
    assert stories.read("fur-elise-ubung-1") == longest
    stories.remove("fur-elise-ubung-1")
    stories.remove("fur-elise-ubung-1")
    assert stories.names() == ["fur-elise-ubung-1-2"]
    other = "Choose it or the built-in one"
    with pytest.raises(
        StoryError, match=rf"no story 'fur-elise-ubung-1'\. Kept is fur-elise-ubung-1-2\. {other}"
    ):
        stories.read("fur-elise-ubung-1")
    for name in ("a", "b"):
        stories.write(name, story())
    with pytest.raises(
        StoryError, match=r"Kept are a, b and fur-elise-ubung-1-2\. Choose one of them or the"
    ):
        stories.read("c")
    for name in stories.names():
        stories.remove(name)
    with pytest.raises(
        StoryError, match=r"There is no story 'a'\. No story is kept\. Choose the built-in one"
    ):
        stories.read("a")


@pytest.mark.parametrize("name", ["", "../card", "a/b", "A", ".x", "x" * 41, "-", "nul\0"])
def test_no_name_leads_out_of_the_folder(data: Path, name: str) -> None:
    for use in (stories.read, stories.remove, lambda name: stories.write(name, story())):
        with pytest.raises(StoryError, match="can't name a story"):
            use(name)


def test_nobody_s_change_is_lost_to_another_s(data: Path) -> None:
    stories.write("one", story(), expected=None)
    theirs, mine = story("theirs"), story("mine")
    stories.write("one", theirs, expected=story())
    with pytest.raises(StoryChanged, match="was changed elsewhere meanwhile"):
        stories.write("one", mine, expected=story())
    assert stories.read("one") == theirs
    with pytest.raises(StoryError, match="no figure"):
        stories.write("one", story("{typo}"))
    assert stories.read("one") == theirs


def test_of_many_writers_at_once_one_wins_whole(data: Path) -> None:
    stories.write("one", story())
    refused = []

    def change(n: int) -> None:
        try:
            stories.write("one", story(f"by {n}" * 50), expected=story())
        except StoryError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=change, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert stories.read("one") in [story(f"by {n}" * 50) for n in range(8)]
    assert [file.name for file in (data / "stories").glob("[!.]*")] == ["one.json"]
    assert not list((data / "stories").glob(".*.json.*[0-9]"))


def test_a_damaged_file_is_named_and_a_folder_in_the_way_too(data: Path) -> None:
    stories.write("one", story())
    (data / "stories" / "one.json").write_text("{}")
    with pytest.raises(StoryError, match=r"stories/one\.json: The story needs exactly"):
        stories.read("one")
    (data / "stories" / "two.json").mkdir()
    with pytest.raises(StoryError, match=r"two\.json can't be read"):
        stories.read("two")
    with pytest.raises(StoryError, match=r"two\.json can't be written"):
        stories.write("two", story())


def test_every_step_can_show_something_known() -> None:
    assert {step.shows for step in BUILT_IN.steps} <= set(SHOWS)
