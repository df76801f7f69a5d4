"""The report: its figures are those of the evaluation, nothing in it leads outside, whatever it is given."""

import base64
import hashlib
import html
import json
import re
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core import ahead, report, report_findings, report_unusual
from core.abstention import risk_coverage
from core.calibration import measure
from core.cli import main
from core.datasets import LabelledDigits
from core.detection import detection
from core.errors import ReportError
from core.evaluation import evaluate
from core.inputs import load_set
from core.paths import WEIGHTS, checkpoint_folder
from core.predictor import Predictor
from core.report import make_report, set_report, write_report
from core.report_charts import RefusingChart, interval_mark
from core.report_findings import Findings, gather
from core.report_options import MOST_TITLE, SECTIONS, ReportOptions
from core.report_words import percent, span
from core.study import read_study

SETS = {"letters": "Rendered letters", "uniform-noise": "Uniform noise"}
FEW = 12
WHEN = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'</title>{{ 7 * 7 }} & <b>"


class Page(HTMLParser):
    """What a browser would find in a file."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.tags[-1][0] if self.tags else "", data))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]

    @property
    def words(self) -> str:
        shown = " ".join(text for tag, text in self.texts if tag not in ("style", "script"))
        return re.sub(r"\s+", " ", shown.replace("\u00a0", " "))


@pytest.fixture(scope="module")
def few_sets(tmp_path_factory: pytest.TempPathFactory, optdigits: LabelledDigits):
    """A data folder without MNIST, and two small sets of unusual inputs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITSCOPE_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setattr(report, "test_digits", lambda: optdigits)
        patch.setattr(ahead, "SLOW", ())  # no other process for a dozen pictures
        patch.setattr(report_unusual, "set_names", lambda classes: SETS)
        patch.setattr(
            report_unusual, "load_set", lambda key, digits, classes: load_set(key, digits, classes, n=FEW)
        )
        yield


@pytest.fixture(scope="module", params=["cnn", "linear"])
def shipped(request: pytest.FixtureRequest) -> Predictor:
    return Predictor.load(checkpoint_folder(request.param))


@pytest.fixture(scope="module")
def found(few_sets: None, shipped: Predictor, optdigits: LabelledDigits) -> Findings:
    return gather(shipped, optdigits)


@pytest.fixture(scope="module")
def bare(few_sets: None, cnn: Predictor, optdigits: LabelledDigits) -> Findings:
    """Of a checkpoint that nothing was fitted to or measured of."""
    return gather(cnn, optdigits.take(np.arange(300)))


def page_of(found: Findings, **options: object) -> Page:
    return Page(set_report(found, ReportOptions(**options), when=WHEN).html)  # type: ignore[arg-type]


def test_the_figures_are_those_of_the_evaluation(
    shipped: Predictor, found: Findings, optdigits: LabelledDigits
):
    known = optdigits.only(shipped.classes)
    probabilities = shipped.run(known.images).probabilities
    expected = evaluate(probabilities, known.labels, shipped.classes)
    page = page_of(found)
    low, high = expected.to_json()["interval_95"]
    assert (
        f"Of {expected.n:,} handwritten digits it has never seen, “{shipped.card.name}” reads "
        f"{percent(expected.accuracy, 2)} rightly and {expected.errors:,} wrongly "
        f"(95 % interval {span((low, high))})." in page.words
    )
    cells = [attributes["title"] for attributes in page.all("td") if "title" in attributes]
    assert cells == [
        f"{true} read as {read}: {expected.confusion[row, column]:,}"
        for row, true in enumerate(shipped.classes)
        for column, read in enumerate(shipped.classes)
    ]
    truth = np.searchsorted(shipped.classes, known.labels)
    assert f"{100 * measure(probabilities, truth).ece.value:.2f} %" in page.words
    curve = risk_coverage(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth)
    saved = curve.at(shipped.card.verdict["refuse_below"])
    assert saved.words in page.words
    (slider,) = page.all("input")
    for stop in json.loads(str(slider["data-stops"])):
        assert stop["words"] == curve.at(float(stop["below"].removesuffix(" %")) / 100).words
    assert page.words.count("(saved)") == 1


def test_the_worst_errors_come_first_with_their_maps(shipped: Predictor, found: Findings):
    assert found.worst
    losses = [error.row.loss for error in found.worst]
    assert losses == sorted(losses, reverse=True)
    assert all(error.row.label != error.row.prediction for error in found.worst)
    for error in found.worst:
        wanted = (
            [error.row.prediction] if len(shipped.classes) == 2 else [error.row.prediction, error.row.label]
        )
        assert [each.target for each in error.maps] == wanted
    words = page_of(found, sections=("errors",)).words
    assert f"{found.worst[0].row.label} read as {found.worst[0].row.prediction}" in words
    assert ("Grad-CAM" if shipped.layers else "Input × Gradient") in words


def test_unusual_inputs_are_scored_as_the_verdict_scores_them(
    shipped: Predictor, found: Findings, optdigits: LabelledDigits
):
    assert found.unusual
    known = optdigits.only(shipped.classes).images
    usual = shipped.unusualness(shipped.run(known))
    limit = shipped.card.verdict["unusual_above"]
    assert found.unusual.false_alarms == pytest.approx(float((usual > limit).mean()))
    assert [each.name for each in found.unusual.sets] == list(SETS.values())
    for key, each in zip(SETS, found.unusual.sets, strict=True):
        outputs = shipped.run(load_set(key, optdigits, shipped.classes, n=FEW).images)
        scores = shipped.unusualness(outputs)
        assert each.auroc == pytest.approx(detection(usual, scores).auroc)
        assert each.noticed == pytest.approx(float((scores > limit).mean()))
        assert each.sure == pytest.approx(float((outputs.probabilities.max(axis=1) >= 0.99).mean()))


def test_the_study_and_the_provenance_are_those_of_the_checkpoint(shipped: Predictor, found: Findings):
    study = read_study(shipped.folder)
    page = page_of(found)
    assert study
    for one in study.methods.values():
        assert f"{one.figures['deletion'].value:.3f}" in page.words
    for fact in (shipped.card.hashes[WEIGHTS], found.about.digest, "2026-11-26 12:30 UTC", "split 23"):
        assert fact in page.words
    assert f"training {shipped.card.training['seed']}" in page.words
    assert "55,000 digits to learn from, 5,000 to choose with, 10,000 to test" in page.words


def test_without_mnist_it_says_what_it_was_measured_on(found: Findings):
    words = page_of(found).words
    assert "MNIST’s test digits were not at hand when this report was made" in words
    assert f"{found.about.n:,} digits that are bundled with scikit-learn" in words


def test_nothing_leads_outside_and_nothing_runs_but_its_own_script(found: Findings):
    text = set_report(found, ReportOptions(title=HOSTILE, comment=HOSTILE), when=WHEN).html
    page = Page(text)
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
            assert str(attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "embed", "base", "form"}
    plain = re.sub(r"data:image/png;base64,[\w+/=]+", "", text)
    assert not re.search(r"https?://|//[a-z]|@import|url\((?!#)", plain, re.IGNORECASE)
    policy = next(each["content"] for each in page.all("meta") if "http-equiv" in each)
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in str(policy)
    assert str(policy).startswith("default-src 'none'")


def test_a_title_and_a_comment_are_text_whatever_they_hold(found: Findings):
    text = set_report(found, ReportOptions(title=HOSTILE, comment=f"one\n{HOSTILE}"), when=WHEN).html
    page = Page(text)
    assert len(page.all("script")) == 1
    assert "<script>alert(1)" not in text
    assert text.count(html.escape("<script>alert(1)</script>")) == 3  # in the head, as heading, as comment
    assert "{{ 7 * 7 }}" in page.words
    assert not [image for image in page.all("img") if image["src"] == "x"]
    (comment,) = re.findall(r'<p class="comment" dir="auto">(.*?)</p>', text, re.DOTALL)
    assert html.unescape(comment) == f"one\n{HOSTILE}"


def test_it_can_be_read_by_a_screen_reader(found: Findings):
    page = page_of(found)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.all("html") == [{"lang": "en"}]
    assert all(image.get("alt") for image in page.all("img"))
    assert all(th.get("scope") in ("col", "row") for th in page.all("th"))
    assert all(svg.get("role") == "img" and svg.get("aria-label") for svg in page.all("svg"))
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert set(ids.values()) == {1}
    assert {str(link["href"])[1:] for link in page.all("a")} <= set(ids)


def test_sections_can_be_chosen_and_keep_their_order(found: Findings):
    page = page_of(found, sections=("limits", "claim"))
    sections = [each["id"] for each in page.all("section")]
    assert sections == ["claim", "limits"]
    everything = [each["id"] for each in page_of(found).all("section")]
    assert everything == list(SECTIONS)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"sections": ("claim", "colours")}, "No section 'colours'. Choose among claim"),
        ({"sections": ()}, "The report has no section. Choose at least one"),
        ({"title": "x" * (MOST_TITLE + 1)}, f"The title has {MOST_TITLE + 1} characters. Shorten it to"),
        ({"comment": "x" * 2001}, "The comment has 2,001 characters. Shorten it to 2,000"),
    ],
)
def test_what_can_not_be_asked_for_is_said(options: dict[str, object], problem: str):
    with pytest.raises(ReportError, match=re.escape(problem)):
        ReportOptions(**options)  # type: ignore[arg-type]


def test_what_was_not_measured_says_so_with_the_remedy(bare: Findings):
    page = page_of(bare)
    for command in ("calibrate", "fit-detector", "faithfulness"):
        assert f"To measure it: python -m core {command} --model cnn" in page.words
    assert "it has never seen" not in page.words
    for row in ("Temperature not measured", "Threshold not measured", "Detector not measured"):
        assert row in page.words
    assert "Training not recorded" in page.words
    assert "no detector was fitted" in page.words
    assert page.words.count("Before the temperature") == 0


def test_what_was_gathered_is_not_gathered_again(
    found: Findings, shipped: Predictor, optdigits: LabelledDigits, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(report_findings, "worst_errors", lambda *_: pytest.fail("explained again"))
    said: list[tuple[float, str]] = []
    part = gather(
        shipped, optdigits, sections=("claim", "refusing"), progress=lambda *step: said.append(step)
    )
    assert part.refusing
    assert part.worst is None
    assert gather(shipped, optdigits, have=found).worst is found.worst
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    with pytest.raises(ReportError, match="worst not gathered yet"):
        set_report(part, ReportOptions(sections=("errors",)))


def test_the_command_writes_the_file_or_says_why_not(
    few_sets: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out.html"
    arguments = ["report", "--model", "linear", "--out", str(out), "--title", "For <you>"]
    assert main([*arguments, "--sections", "classes", "claim"]) == 0
    assert "sections: claim, classes" in capsys.readouterr().out
    assert '<h1 dir="auto">For &lt;you&gt;</h1>' in out.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["out.html"]
    assert main([*arguments, "--sections", "claims"]) == 1
    assert "No section 'claims'" in capsys.readouterr().err
    assert main(["report", "--out", str(tmp_path / "no" / "out.html")]) == 1
    assert "there is no folder" in capsys.readouterr().err
    assert main(["report", "--model", "nobody", "--out", str(out)]) == 1
    assert "No checkpoint 'nobody'" in capsys.readouterr().err


def test_a_report_is_small_and_whole_or_not_there(few_sets: None, cnn: Predictor, tmp_path: Path):
    made = make_report(cnn, options=ReportOptions(sections=("claim", "errors")))
    assert made.size < 6_000_000
    assert made.name == f"cnn-report-{made.when:%Y-%m-%d}.html"
    (tmp_path / "a-file").touch()
    with pytest.raises(ReportError, match=r"can't be written \(Not a directory\)"):
        write_report(made, tmp_path / "a-file" / "out.html")
    write_report(made, tmp_path / "out.html")
    assert (tmp_path / "out.html").stat().st_size == made.size


def test_a_mark_lies_where_its_value_does():
    mark = interval_mark(0.5, 0.25, 1.0, (0.0, 1.0), 'a "b"')
    assert 'cx="70.0"' in mark
    assert 'x1="37.0" x2="136.0"' in mark
    assert "a &#34;b&#34;" in mark


def test_the_price_of_refusing_is_drawn_to_scale():
    confidence = np.array([0.2, 0.4, 0.6, 0.8, 1.0])
    curve = risk_coverage(confidence, np.array([False, True, False, True, True]))
    chart = RefusingChart(curve, [curve.at(0.5)])
    everything, half = chart.place(curve.at(0.0)), chart.place(curve.at(0.5))
    assert everything[0] == chart.LEFT
    # 2 errors in 5 against 1 in 3; 2 of 5 refused against none.
    assert (everything[1] - chart.TOP) / (half[1] - chart.TOP) == pytest.approx((2 / 5) / (1 / 3))
    assert (half[0] - chart.LEFT) / chart.WIDTH == pytest.approx(0.4 / (0.8 * 1.04))
    assert chart.place(curve.at(0.9))[1] == chart.TOP
