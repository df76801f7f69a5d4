"""The sections of a model card that hold what was measured: figures as tables in Markdown."""

from typing import Any

from core.card_sections import Material, accuracy, table
from core.energy import Work, total_watt_hours
from core.methods import METHODS
from core.study import CONTROLS
from core.wording import NOT_MEASURED, percent

DATASETS = {
    "mnist-test": "MNIST, test set",
    "mnist-validation": "MNIST, validation digits, which choose",
    "optdigits": "8 × 8 digits that scikit-learn bundles (UCI optdigits), other writers",
}


def evaluation(of: Material) -> str:
    card = of.card
    rows = [_row(label, card.metrics.get(name)) for name, label in DATASETS.items()]
    results = table(("data", "accuracy", "95 % interval", "errors", "digits", "ECE"), rows)
    parts = [
        "### Testing Data, Factors & Metrics",
        "#### Testing Data\n\nMNIST's test set, which chose nothing, and digits of other writers.",
        "#### Factors\n\nThe true digit. Writers' age, handedness, origin: not recorded in these data sets.",
        "#### Metrics\n\nAccuracy with its 95 % Wilson interval; expected calibration error (ECE, 15 bins of "
        "equal width), with the temperature that the validation digits chose.",
        "### Results",
        results,
    ]
    if test := card.metrics.get("mnist-test"):
        parts += ["#### By digit, MNIST's test set", _by_digit(test)]
    if card.calibration:
        before, after = (card.calibration[stage]["ece"]["value"] for stage in ("before", "after"))
        parts.append(
            f"#### Calibration\n\nTemperature {card.temperature:.3f}, fitted on {card.calibration['n']:,} "
            f"validation digits: ECE there {percent(before, 2)} before, {percent(after, 2)} after."
        )
    parts.append("#### Inputs that are no digits\n\n" + _unusual(of))
    return "\n\n".join(parts)


def _row(label: str, metrics: dict[str, Any] | None) -> tuple[str, ...]:
    if metrics is None:
        return (label, NOT_MEASURED, "", "", "", "")
    low, high = metrics["interval_95"]
    interval = f"{percent(low, 2)} to {percent(high, 2)}"
    counts = (f"{metrics['errors']:,}", f"{metrics['n']:,}", percent(metrics["ece"], 2))
    return (label, f"**{accuracy(metrics)}**", interval, *counts)


def _by_digit(test: dict[str, Any]) -> str:
    rows = []
    for digit, counts in test["per_class"].items():
        low, high = test["interval_95_per_class"][digit]
        right = percent(1 - counts["errors"] / counts["n"], 2) if counts["n"] else NOT_MEASURED
        interval = f"{percent(low, 2)} to {percent(high, 2)}"
        rows.append((digit, right, interval, str(counts["errors"]), f"{counts['n']:,}"))
    return table(("digit", "accuracy", "95 % interval", "errors", "digits"), rows)


def _unusual(of: Material) -> str:
    found = [row for row in of.unusual if row.unit == "auroc" and row.value is not None]
    if not found:
        return f"How well they are told from digits: {NOT_MEASURED} for these weights."
    rows = [
        (
            row.figure.removeprefix("AUROC, "),
            f"{row.value:.4f}",
            f"{row.baseline:.4f}" if row.baseline else "",
        )
        for row in found
    ]
    return table(("unusual against usual", "AUROC of the verdict's score", "of the maximum softmax"), rows)


def examination(of: Material) -> str:
    if of.study is None:
        return f"How far explanations of its answers can be believed: {NOT_MEASURED} for these weights."
    ranked = sorted(of.study.methods.items(), key=lambda item: item[1].rank.value)
    names = [METHODS[name].label if name in METHODS else f"*{CONTROLS[name]}*" for name, _ in ranked]
    return (
        f"Attribution methods by deletion, insertion and infidelity on {of.study.n:,} digits of "
        f"{of.study.dataset}, the most faithful first (in italics: controls that know nothing of the model): "
        f"{', '.join(names)}."
    )


def environment(of: Material) -> str:
    if not of.work:
        return f"Training time and energy: {NOT_MEASURED}, as the weights were not trained here."
    rows = [(part.what, str(part.runs), part.hardware or "not recorded", *_spent(part)) for part in of.work]
    total = total_watt_hours(of.work)
    sources = {part.power.source for part in of.work if part.power}
    assumed = "; ".join(sorted(sources)) or "none is known for this device"
    return (
        table(("training of", "runs", "hardware", "time", "assumed power", "energy"), rows)
        + f"\n\n- **Energy together:** {energy_words(total)}\n"
        f"- **Measured:** the time of training. **Assumed:** the power, all of it all the time: {assumed}. "
        "The rest of the machine and its cooling are left out.\n"
        f"- **Trials that led to the recipe:** {NOT_MEASURED}\n"
        f"- **Carbon Emitted:** {NOT_MEASURED}, as the grid that fed the machine is not recorded"
    )


def _spent(part: Work) -> tuple[str, str, str]:
    time = NOT_MEASURED if part.seconds is None else f"{part.seconds:.1f} s"
    return time, part.power.words if part.power else NOT_MEASURED, energy_words(part.watt_hours)


def energy_words(watt_hours: float | None) -> str:
    """An energy in Wh or, where that would be a small number, in joules."""
    if watt_hours is None:
        return NOT_MEASURED
    return f"{watt_hours:.1f} Wh" if watt_hours >= 0.1 else f"{watt_hours * 3600:.1f} J"
