"""What a report says in sentences: the claim, a line a section, the limits."""

from collections.abc import Sequence

from core.card import ModelCard
from core.datasets import MNIST_PARTS
from core.methods import METHODS
from core.report_findings import SURE, Findings, WorstError
from core.study import CONTROLS
from core.wording import NOT_MEASURED, listed, percent

KINDS = {
    "DigitCNN": "a convolutional network that reads one handwritten digit",
    "ThreeSevenLinear": "a linear model, one weight a pixel, that tells a handwritten 3 from a 7",
}
DATASETS = {
    "mnist-test": "MNIST’s test digits",
    "mnist-validation": "MNIST’s validation digits",
    "optdigits": "the digits bundled with scikit-learn",
}


def span(ends: Sequence[float], digits: int = 2) -> str:
    """An interval of shares in [0, 1] as `99.44 to 99.70 %`."""
    low, high = (percent(end, digits).removesuffix(" %") for end in ends)
    return f"{low} to {high} %"


def usual_title(card: ModelCard) -> str:
    """The heading of a report that was given none."""
    return f"“{card.name}”: what it reads, where it fails, and when to doubt it"


def digits(found: Findings) -> str:
    """Which digits the report is about."""
    known = "" if len(found.card.classes) == 10 else f" that are {listed(found.card.classes)}"
    return f"{DATASETS.get(found.about.dataset, found.about.dataset)}{known}"


def claim(found: Findings) -> str:
    """How good the model is, in one sentence."""
    counted, (low, high) = found.confusion, found.confusion.interval_95 or (0.0, 1.0)
    unseen = " it has never seen" if _is_unseen(found) else ""
    return (
        f"Of {counted.n:,} handwritten digits{unseen}, “{found.card.name}” reads "
        f"{percent(counted.accuracy or 0.0, 2)} rightly and {counted.errors:,} wrongly "
        f"(95 % interval {span((low, high))})."
    )


def _is_unseen(found: Findings) -> bool:
    """Whether the digits surely had no part in the training; of other weights nobody here knows."""
    return _learnt_from_mnist(found.card) and found.about.dataset in ("mnist-test", "optdigits")


def _learnt_from_mnist(card: ModelCard) -> bool:
    return bool(card.training) and card.hyperparameters.get("data") == "mnist"


def absent(found: Findings) -> str:
    """What a reader must know where MNIST was not at hand; empty where it was."""
    if found.about.dataset in MNIST_PARTS:
        return ""
    return (
        "MNIST’s test digits were not at hand when this report was made. Everything that is measured here "
        f"was measured on {found.about.n:,} digits that are bundled with scikit-learn, which other people "
        "wrote and which were scanned coarsely. Figures on MNIST are quoted from the model card where it "
        "has them."
    )


def classes(found: Findings) -> str:
    """The digit that is read worst, and the most frequent confusion."""
    scores = [score for score in found.confusion.per_class if score.recall is not None]
    worst = min(scores, key=lambda score: (score.recall, score.digit))
    pairs = found.confusion.top()
    if not pairs:
        return "No digit was read wrongly."
    ties = sum(pair.count == pairs[0].count for pair in pairs[1:])
    others = f" ({ties} other{'s' if ties > 1 else ''} as often)" if ties else ""
    return (
        f"The {worst.digit} is read worst: {percent(worst.recall or 0.0)} of the {worst.digit}s are read "
        f"rightly. Most frequent: {pairs[0].words}{others}."
    )


def worst(found: Findings) -> str:
    """How many errors there are, and how many of them nobody would doubt."""
    n = found.confusion.errors
    if not n:
        return f"None of the {found.confusion.n:,} digits was read wrongly."
    return (
        f"{n:,} of {found.confusion.n:,} digits {'is' if n == 1 else 'are'} read wrongly. In "
        f"{found.sure_errors:,} of them the model was at least {100 * SURE:.0f} % sure of its answer."
    )


def maps(errors: Sequence[WorstError]) -> str:
    """What the pictures beside the misread digits show."""
    shown = [each for error in errors for each in error.maps]
    if not shown:
        return ""
    about = METHODS[shown[0].method]
    if shown[0].signed:
        return (
            f"The maps ({about.label}) are exact for a linear model: purple pixels speak for the answer, "
            f"orange ones against it. Below each stands the end of its scale ({about.unit})."
        )
    return (
        f"The maps ({about.label}, {shown[0].layer}) show where evidence lies for what was read and for the "
        "label, from dark blue (little) to yellow (much). Both maps of a digit have one scale; below each "
        f"stands its largest value ({about.unit})."
    )


def reliability(found: Findings) -> str:
    """What the temperature did to the calibration error."""
    assert found.confidence is not None
    stages = {name: figures.ece.value for name, (_, figures) in found.confidence.stages.items()}
    after = percent(stages["after"], 2)
    if found.confidence.temperature is None:
        return (
            f"Confidence and accuracy lie {after} apart on average. No temperature was fitted to this model."
        )
    before, t = percent(stages["before"], 2), found.confidence.temperature
    card = found.card.calibration
    fitted = DATASETS.get(str(card.get("fitted_on")), str(card.get("fitted_on")))
    return (
        f"Confidence and accuracy lie {after} apart on average; {before} before the logits were divided by a "
        f"temperature of {t:.3f}, which was fitted on {card.get('n', 0):,} of {fitted}."
    )


def refusing(found: Findings) -> str:
    """What the saved threshold buys."""
    assert found.refusing is not None
    saved, whole = found.refusing.saved, found.refusing.curve.at(0.0)
    if saved is None:
        return f"No threshold was chosen for this model: it answers always. {whole.words}"
    chosen = DATASETS.get(str(found.card.verdict.get("chosen_on")), "other digits")
    return f"{saved.words} {whole.words} The threshold, {percent(saved.threshold)}, was chosen on {chosen}."


def unusual(found: Findings) -> str:
    """How sure the model is where no digit is, and who notices."""
    assert found.unusual is not None
    sets = found.unusual.sets
    if not sets:
        return "No set of unusual inputs was at hand."
    surest = max(sets, key=lambda each: each.sure)
    text = (
        f"Shown what is no digit, it still names one: of “{surest.name}” {percent(surest.sure)} are read "
        "with 99 % confidence or more."
    )
    told = [each for each in sets if each.noticed is not None]
    if not told or found.unusual.false_alarms is None:
        return text + " No detector was fitted that would notice."
    least = min(told, key=lambda each: each.noticed or 0.0)
    most = max(told, key=lambda each: each.noticed or 0.0)
    return (
        f"{text} The verdict tells {percent(least.noticed or 0.0)} (“{least.name}”) to "
        f"{percent(most.noticed or 0.0)} (“{most.name}”) of a set from digits, and takes "
        f"{percent(found.unusual.false_alarms)} of the real digits for none."
    )


def faithfulness(found: Findings) -> str:
    """Which method foretells best what matters to the model."""
    study = found.faithfulness.study if found.faithfulness else None
    if study is None:
        return ""
    best = min(study.methods, key=lambda name: study.methods[name].rank.value)
    failing = [method_name(name) for name, one in study.methods.items() if not one.passes and name in METHODS]
    text = (
        f"{method_name(best)} foretells best what matters to the model, on {study.n:,} digits. "
        "A map must change when all weights are destroyed: "
    )
    text += f"not surely so with {', '.join(failing)}." if failing else "all methods’ maps do."
    drawn = "gradcam" if "gradcam" in study.methods else "input-x-gradient"
    if drawn not in study.methods or drawn == best:
        return text
    own, chance = study.methods[drawn].rank, study.methods.get("random")
    beaten = chance is not None and own.high >= chance.rank.low
    return (
        f"{text} {method_name(drawn)}, which draws the maps of the worst errors, takes rank {own.value:g} of "
        f"{len(study.methods)}" + (", not surely better than a random map." if beaten else ".")
    )


def method_name(name: str) -> str:
    """A method's or a control's name for people."""
    return METHODS[name].label if name in METHODS else CONTROLS[name]


def limits(found: Findings) -> list[tuple[str, str]]:
    """Where the model and this report end: a heading and a sentence or two each."""
    card = found.card
    others = card.metrics.get("optdigits")
    read_elsewhere = (
        f"on {others['n']:,} digits of other people it reads {percent(others['accuracy'], 2)} "
        f"(95 % interval {span(others['interval_95'])})"
        if others
        else f"how it reads other people’s digits: {NOT_MEASURED}"
    )
    rows = [
        (
            f"It knows {listed(card.classes)} and nothing else.",
            f"Whatever it is shown, it names one of them. {_whether_noticed(found)}",
        ),
        (
            "Other people write otherwise.",
            (
                f"It learnt from MNIST, written by Americans around 1990; {read_elsewhere}."
                if _learnt_from_mnist(card)
                else f"Its weights: {card.source}; {read_elsewhere}."
            ),
        ),
        (
            "Being sure is not being right.",
            f"{found.sure_errors:,} of the {found.confusion.errors:,} errors here were made with at least "
            f"{100 * SURE:.0f} % confidence; no threshold below that catches them.",
        ),
        (
            "Intervals cover chance alone.",
            "They say how far another sample of such digits might differ: not other writers, pens, cameras "
            "or forms.",
        ),
        (
            "Photographs and forms are not measured here.",
            "The digits of this report were cut out, centred and scaled already. Finding and preparing a "
            "digit in a picture can fail, and strokes that touch are one digit to the model.",
        ),
        (
            "A map shows where, not why.",
            "The maps of the worst errors show where evidence lies, at the scale that stands with each; how "
            f"far such maps can be believed: {_believed(found)}.",
        ),
    ]
    if found.corrected:
        rows.insert(3, (
            "Some labels are wrong.",
            f"People doubt labels of this data set. With theirs instead, "
            f"{percent(found.corrected.accuracy, 2)} are right: {found.corrected.errors:,} errors in "
            f"{found.corrected.n:,}, and {found.corrected.left_out} that nobody "
            "can decide (Northcutt et al. 2021). The claim keeps the original labels.",
        ))  # fmt: skip
    return rows


def _whether_noticed(found: Findings) -> str:
    if "unusual_above" not in found.card.verdict:
        return f"Whether it would notice what is no digit: {NOT_MEASURED}, as no detector was fitted."
    return "A verdict beside each answer says whether to believe it; it misses some of what is no digit."


def _believed(found: Findings) -> str:
    if found.faithfulness is None:
        return "not part of this report"
    return "see above" if found.faithfulness.study else NOT_MEASURED
