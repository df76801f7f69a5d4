"""`MODEL_CARD.md`: a checkpoint's model card for people, in the form that model hubs read.

The sections and the header are those of Hugging Face's template (after Mitchell et al. 2019,
arXiv:1810.03993), so that the file can be uploaded as a model's `README.md`. All of it is written from
`card.json` and from the recorded results that are of the very same weights.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core import card_results as results
from core import card_sections as sections
from core.card import ModelCard, read_card
from core.card_sections import Material
from core.energy import work_of
from core.errors import CheckpointError, DigitscopeError
from core.figures import DERIVED, Row
from core.paths import MODEL_CARD, ROOT, WEIGHTS, checkpoint_folder, locked
from core.results import read_results
from core.study import read_study
from core.wording import percent

UNUSUAL = ROOT / "docs" / "results" / "unusual.json"
SECTIONS = {
    "Model Details": sections.details,
    "Uses": sections.uses,
    "Bias, Risks, and Limitations": sections.risks,
    "How to Get Started with the Model": sections.start,
    "Training Details": sections.training,
    "Evaluation": results.evaluation,
    "Model Examination": results.examination,
    "Environmental Impact": results.environment,
    "Technical Specifications": sections.specification,
}
HUB_DATASETS = {  # by our name: the hub's, and for people
    "mnist-test": {"type": "ylecun/mnist", "name": "MNIST", "split": "test"},
    "optdigits": {
        "type": "uci-optdigits",
        "name": "UCI optdigits, as scikit-learn has it",
    },
}


@dataclass(frozen=True)
class ModelCardText:
    """A model card in its parts.

    Attributes:
        name: of the model.
        header: what a hub reads, the front matter.
        summary: the model in a sentence or two.
        sections: Markdown by heading, in the template's order.
        material: what it was written from.
    """

    name: str
    header: dict[str, Any]
    summary: str
    sections: dict[str, str]
    material: Material

    def to_markdown(self) -> str:
        """The whole file."""
        header = yaml.safe_dump(self.header, sort_keys=False, allow_unicode=True, width=10_000)
        parts = [f"# Model Card for {self.name}", self.summary]
        parts += [f"## {heading}\n\n{body}" for heading, body in self.sections.items()]
        parts.append("*Written by `python -m core card` from `card.json`.*")
        return f"---\n{header}---\n\n" + "\n\n".join(parts) + "\n"


def model_card(model: str | os.PathLike[str]) -> ModelCardText:
    """The model card of a checkpoint by its name or folder.

    Raises:
        DigitscopeError: no such checkpoint, or recorded results that are damaged.
    """
    folder = checkpoint_folder(model)
    card = read_card(folder)
    material = Material(card, work_of(card, read_results()), _unusual(card), read_study(folder))
    bodies = {heading: body(material) for heading, body in SECTIONS.items()}
    return ModelCardText(card.name, header(material), sections.summary(material), bodies, material)


def write_model_card(model: str | os.PathLike[str], out: Path | None = None) -> Path:
    """Writes a checkpoint's model card, at once or not at all.

    Args:
        model: the checkpoint's name or folder.
        out: the file; by default `MODEL_CARD.md` in the checkpoint, where it belongs to no hash.

    Raises:
        DigitscopeError: as `model_card`, or the file can't be written.
    """
    folder = checkpoint_folder(model)
    path = out or folder / MODEL_CARD
    # A name that a checkpoint's own temporary files have, so that one left behind bothers nobody.
    beside = path.with_name(f".card.json.{path.name}.{os.getpid()}")
    try:
        with locked(folder):
            beside.write_text(model_card(folder).to_markdown(), encoding="utf-8")
            os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CheckpointError(f"{path} can't be written ({error.strerror}). Choose another --out.") from error
    return path


def header(of: Material) -> dict[str, Any]:
    """The front matter that a hub reads, without what is not known."""
    card = of.card
    tags = ["image-classification", "handwritten-digits", "onnx", "safetensors", "digitscope"]
    found: dict[str, Any] = {"license": "mit" if of.on_mnist else "unknown"}
    if of.on_mnist:
        found["datasets"] = ["ylecun/mnist"]
        tags.insert(2, "mnist")
    found |= {"pipeline_tag": "image-classification", "tags": tags, "metrics": ["accuracy"]}
    measured = [_result(of, name) for name in HUB_DATASETS if name in card.metrics]
    return found | ({"model-index": [{"name": card.name, "results": measured}]} if measured else {})


def _result(of: Material, dataset: str) -> dict[str, Any]:
    metrics, about = of.card.metrics[dataset], dict(HUB_DATASETS[dataset])
    if not of.knows_ten:
        about["name"] += f", digits {' and '.join(map(str, of.card.classes))} alone"
    low, high = metrics["interval_95"]
    accuracy = f"Accuracy, {metrics['n']:,} digits, 95 % interval {percent(low, 2)} to {percent(high, 2)}"
    return {
        "task": {"type": "image-classification", "name": "Image Classification"},
        "dataset": about,
        "metrics": [
            {"type": "accuracy", "value": metrics["accuracy"], "name": accuracy},
            {"type": "ece", "value": metrics["ece"], "name": "Expected calibration error, 15 bins"},
        ],
    }


def _unusual(card: ModelCard) -> tuple[Row, ...]:
    """What was measured of the verdict, if it was with these very weights and this very detector."""
    try:
        found = json.loads(UNUSUAL.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise DigitscopeError(f"{UNUSUAL} can't be read ({error}). Restore the file.") from error
    of = found["checkpoint"]
    if (of["sha256"], of["fitted"]) != (card.hashes[WEIGHTS], card.fitted):
        return ()
    return tuple(
        _row({key: value for key, value in row.items() if key not in DERIVED}) for row in found["rows"]
    )


def _row(content: dict[str, Any]) -> Row:
    interval = content["interval_95"]
    return Row(**content | {"interval_95": tuple(interval) if interval else None})
