"""The sections of a model card in words: each a function of what was recorded, as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.card import ModelCard
from core.config import MOST_OFFSET
from core.energy import Work
from core.figures import Row
from core.paths import DETECTOR, GRAPH, WEIGHTS
from core.study import Study
from core.wording import NOT_MEASURED, listed, percent

LINEAR = "ThreeSevenLinear"
KINDS = {
    "DigitCNN": "convolutional network, four blocks (convolution, batch normalisation, ReLU, max pooling) "
    "and two linear layers",
    LINEAR: "linear model, one weight a pixel and a bias",
}
PARTS = {"train": "to learn from", "validation": "to choose with", "test": "to test"}
CONVENTION = (
    "White ink on black, 28 × 28 px: the ink is found, scaled so that its longer side is 20 px, and "
    "shifted so "
    "that its centre of mass lies at the centre, as MNIST's digits were (LeCun et al. 1998)."
)


@dataclass(frozen=True)
class Material:
    """What a model card is written from.

    Attributes:
        card: `card.json`.
        work: what training took.
        unusual: what its verdict was measured to tell from digits; empty where nobody measured.
        study: what its explanations were measured to be worth; None where nobody measured.
    """

    card: ModelCard
    work: tuple[Work, ...]
    unusual: tuple[Row, ...]
    study: Study | None

    @property
    def knows_ten(self) -> bool:
        return len(self.card.classes) == 10

    @property
    def on_mnist(self) -> bool:
        """Whether it was trained here on MNIST alone."""
        return bool(self.card.training) and self.card.hyperparameters.get("data") == "mnist"


def code(text: object) -> str:
    """A text of others as it is: no Markdown of theirs, and on one line."""
    return "`" + " ".join(str(text).replace("`", "'").split()) + "`"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    cells = ([cell.replace("|", r"\|") for cell in row] for row in rows)
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells)])


def summary(of: Material) -> str:
    card, test = of.card, of.card.metrics.get("mnist-test")
    what = (
        "reads one handwritten digit"
        if of.knows_ten
        else f"tells handwritten digits apart that are {listed(card.classes)}"
    )
    claim = f"How good it is on MNIST's test set: {NOT_MEASURED}."
    if test:
        claim = f"{accuracy(test)} of {test['n']:,} test digits are read rightly, {test['errors']:,} wrongly."
    return f"A {KINDS.get(card.architecture, card.architecture)}, that {what}. {claim}"


def details(of: Material) -> str:
    card = of.card
    rows = [
        ("Developed by", "the Digitscope authors" if card.training else "see where its weights come from"),
        ("Model type", KINDS.get(card.architecture, code(card.architecture))),
        ("Classes", listed(card.classes)),
        ("Parameters", f"{card.parameters:,}"),
        ("Weights", code(card.source)),
        ("Date", card.training["finished"][:10] if card.training else "not recorded"),
        ("Licence", "MIT" if of.on_mnist else "not stated here: that of its weights and of their data"),
    ]
    lines = [f"- **{name}:** {text}" for name, text in rows]
    return "\n".join(["### Model Description", "", *lines, "", "### Model Sources", "", SOURCES])


SOURCES = "- **Repository:** Digitscope, whose `checkpoints/` hold it; its dashboard is the demo."


def uses(of: Material) -> str:
    known = listed(of.card.classes)
    ways = "`python -m core predict`, the dashboard, or ONNX Runtime (see below)"
    verdict = ""
    if "unusual_above" in of.card.verdict:
        verdict = (
            " Beside each answer Digitscope says whether it is to be believed; ask that, not the class alone."
        )
    return (
        f"### Direct Use\n\nReading single handwritten digits ({known}), in teaching, in demonstrations "
        f"and in "
        f"research on classifiers: by {ways}.{verdict}\n\n"
        "### Downstream Use\n\nA start for fine-tuning on digits of one's own "
        "(`python train.py … --init-from`), or a part of a larger reader that finds the digits itself. "
        "Measure "
        "it on digits like those it will meet: `python -m core evaluate --data FOLDER`.\n\n"
        f"### Out-of-Scope Use\n\n{out_of_scope(of)}"
    )


def out_of_scope(of: Material) -> str:
    told = "; the verdict is there to say so" if "unusual_above" in of.card.verdict else ""
    lines = [
        f"Anything but {listed(of.card.classes)}: shown a letter or a photograph, it names a digit all the "
        f"same{told}.",
        "Digits that touch, and whole numbers: digits must lie apart.",
        "Decisions about people or money on its answer alone, such as reading cheques, ballots, forms or "
        "doses.",
        "Identifying who wrote a digit.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def risks(of: Material) -> str:
    lines = []
    if of.on_mnist:
        lines.append(
            "**Whose hands:** MNIST was written by employees of the US Census Bureau and by American "
            "high-school "
            "students around 1990. Other hands, such as a 1 with an upstroke or a 7 with a bar, are rarer "
            "there."
        )
    test, others = (of.card.metrics.get(name) for name in ("mnist-test", "optdigits"))
    if test and others and others["interval_95"][1] < test["interval_95"][0]:
        lines.append(
            f"**Other writers are read less well:** {accuracy(others)} of {others['n']:,} digits of "
            f"optdigits, "
            f"against {accuracy(test)} of MNIST's."
        )
    lines += [_worst(of.card, test)] if test else []
    lines.append(
        "**Confident about nonsense:** a softmax shares 100 % among the digits it knows, whatever the "
        "picture "
        "shows." + (f" {_noticed(of)}" if of.unusual else "")
    )
    lines.append("**Fairness by group:** " + NOT_MEASURED + ", as no data set names its writers' groups.")
    advice = "Look at single errors, and measure on your own digits before relying on it."
    refused = of.card.verdict.get("refuse_below")
    if refused is not None:
        advice = (
            f"Let it refuse answers that it is less than {percent(refused)} sure of: on "
            f"{of.card.verdict['n']:,} validation digits, which chose that threshold, "
            f"{percent(of.card.verdict['coverage'], 2)} are then answered, and "
            f"{percent(of.card.verdict['accuracy'], 2)} of these rightly. {advice}"
        )
    body = "\n".join(f"- {line}" for line in lines)
    return f"{body}\n\n### Recommendations\n\n{advice}"


def _worst(card: ModelCard, test: dict[str, Any]) -> str:
    rates = {
        digit: counts["errors"] / counts["n"] for digit, counts in test["per_class"].items() if counts["n"]
    }
    worst = max(rates, key=rates.__getitem__)
    low, high = test["interval_95_per_class"][worst]
    return (
        f"**Not every digit is read equally well:** worst of the test digits are the {worst}s, "
        f"{percent(rates[worst], 2)} of them wrong (95 % interval {percent(1 - high, 2)} to "
        f"{percent(1 - low, 2)})."
    )


def _noticed(of: Material) -> str:
    found = [row for row in of.unusual if row.unit == "auroc" and row.value is not None]
    worst = min(found, key=lambda row: row.value or 0.0)
    name = worst.figure.removeprefix("AUROC, ")
    return f"The verdict's score is least good at {name} (AUROC {worst.value:.4f})."


def start(of: Material) -> str:
    mean, std = of.card.normalisation["mean"], of.card.normalisation["std"]
    by_temperature = f" / {of.card.temperature:.4f}" if of.card.temperature != 1 else ""
    if len(of.card.classes) == 2:
        first, second = of.card.classes
        read = (
            f"share = float(1 / (1 + np.exp(-logits[0, 0])))  # the probability of a {first}\n"
            f"print({first} if share >= 0.5 else {second}, max(share, 1 - share))"
        )
    else:
        read = (
            "powers = np.exp(logits[0] - logits[0].max())\nprobabilities = powers / powers.sum()\n"
            "print(int(probabilities.argmax()), float(probabilities.max()))"
        )
    return (
        "```python\nimport numpy as np\nimport onnxruntime\nfrom PIL import Image\n\n"
        f'session = onnxruntime.InferenceSession("{GRAPH}")\n'
        'picture = Image.open("digit.png").convert("L")  # white ink on black, centred, 28 × 28\n'
        "pixels = np.asarray(picture, dtype=np.float32)[None, None] / 255\n"
        f"images = (pixels - np.float32({mean})) / np.float32({std})\n"
        f'logits = session.run(["logits"], {{"images": images}})[0]{by_temperature}\n{read}\n```\n\n'
        f"Any other picture has to be brought into that form first, which Digitscope does: "
        f'`Predictor.load({of.card.name!r}).predict("photo.jpg")`.'
    )


def training(of: Material) -> str:
    card = of.card
    if not card.training:
        return f"Not trained here: {code(card.source)}. How it was trained: not recorded."
    data = "MNIST" if of.on_mnist else code(card.hyperparameters.get("data", "not recorded"))
    sizes = ", ".join(f"{card.split[part]:,} {what}" for part, what in PARTS.items() if part in card.split)
    only = "" if of.knows_ten else f" Of these, the digits {listed(card.classes)} alone."
    run = card.training
    flags = [(name, _flag(value)) for name, value in card.hyperparameters.items()]
    regime = card.hyperparameters.get("precision", "float64, from scratch without autograd")
    return (
        f"### Training Data\n\n{data}: {sizes}, parted with seed "
        f"{card.split.get('seed', 'not recorded')}.{only}\n\n"
        f"### Training Procedure\n\n#### Preprocessing\n\n{CONVENTION} Pixels in [0, 1] are normalised "
        f"with mean {card.normalisation['mean']:g} and standard deviation {card.normalisation['std']:g}."
        f"{_window(card)}\n\n"
        f"#### Training Hyperparameters\n\n- **Training regime:** {regime}\n- **Seed:** {run['seed']}\n"
        f"- **Epoch:** {run['best_epoch']} of {run['epochs']}, chosen by {run['chosen_by']}; the test set "
        f"had no say\n\n<details><summary>Every flag</summary>\n\n"
        f"{table(('flag', 'value'), flags)}\n\n</details>\n\n"
        f"#### Speeds, Sizes, Times\n\n{run['seconds']:g} s on {run['hardware']}, {run['epochs']} epochs."
    )


def _window(card: ModelCard) -> str:
    if not card.offset:
        return ""
    last = 28 - MOST_OFFSET + card.offset - 1
    return f" The first layer is given the rows and columns {card.offset} to {last}, counted from 0."


def specification(of: Material) -> str:
    card = of.card
    two = len(card.classes) == 2
    outputs = f"the log-odds of a {card.classes[0]}" if two else "one a digit, before the softmax"
    objective = card.hyperparameters.get("loss") or ("cross-entropy" if card.training else "not recorded")
    if card.hyperparameters.get("teachers"):
        share = card.hyperparameters["distillation"]
        objective += (
            f", {share:g} of it by the probabilities of {len(card.hyperparameters['teachers'])} teachers"
        )
    files = [(code(name), code(digest)) for name, digest in card.hashes.items()]
    versions = card.training.get("versions", {})
    software = ", ".join(f"{name} {version}" for name, version in versions.items()) or "not recorded"
    return (
        "### Model Architecture and Objective\n\n"
        f"- **Architecture:** {KINDS.get(card.architecture, card.architecture)}\n"
        f"- **Parameters:** {card.parameters:,}\n"
        "- **Input:** float32, (batch, 1, 28, 28), normalised\n"
        f"- **Outputs:** `logits`: {outputs}; `embedding`"
        f"{' and the spatial means of each block' if card.architecture == 'DigitCNN' else ''}\n"
        f"- **Objective:** {objective}\n\n"
        "### Compute Infrastructure\n\n"
        f"#### Hardware\n\n{card.training.get('hardware', 'not recorded')}\n\n#### Software\n\n{software}\n\n"
        f"### Files\n\n{table(('file', 'SHA-256'), files)}\n\n"
        f"{code(WEIGHTS)} are the weights, {code(GRAPH)} is what is served"
        f"{f', {code(DETECTOR)} is the verdict on unusual inputs' if DETECTOR in card.hashes else ''}."
    )


def accuracy(metrics: dict[str, Any]) -> str:
    """As a percentage."""
    return percent(metrics["accuracy"], 2)


def _flag(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(code, value)) or "none"
    return "none" if value == "" else code(value)
