"""Which detectors of unusual inputs there are, by name: `core.detectors` computes them."""

from dataclasses import dataclass

from core.predictor import Predictor
from core.unusual import CHOSEN

FITTED_ON, SEED = 5_000, 23  # training digits that those with `fitted` see
NEIGHBOURS = 10
OWN = "both"


@dataclass(frozen=True)
class Kind:
    """One detector.

    Attributes:
        name: for people.
        short: the same as the head of a column.
        about: how it scores, in half a sentence, and who published it.
        fitted: whether it needs training digits.
        shipped: whether it needs the checkpoint's own detector.
    """

    name: str
    short: str
    about: str
    fitted: bool = False
    shipped: bool = False


KINDS = {
    OWN: Kind(
        "Both opinions",
        "Both",
        f"distance and learned together ({CHOSEN.words}): what the verdict uses",
        shipped=True,
    ),
    "distance": Kind(
        "Distance",
        "Distance",
        "cosine distance to the nearest training digit over blocks 2 to 4",
        shipped=True,
    ),
    "learned": Kind(
        "Learned",
        "Learned",
        "a small network that knows digits from made-up scrawls and digits taken apart",
        shipped=True,
    ),
    "softmax": Kind(
        "Maximum softmax",
        "Softmax",
        "how unsure the answer is (Hendrycks, Gimpel 2017, arXiv:1610.02136)",
    ),
    "logit": Kind(
        "Maximum logit",
        "Logit",
        "the greatest logit, negated (Hendrycks et al. 2022, arXiv:1911.11132)",
    ),
    "energy": Kind("Energy", "Energy", "−log Σ exp of the logits (Liu et al. 2020, arXiv:2010.03759)"),
    "entropy": Kind("Entropy", "Entropy", "of the probabilities (Chan et al. 2021, arXiv:2012.06575)"),
    "odin": Kind(
        "ODIN",
        "ODIN",
        "softmax at T = 1,000 after a small step towards the answer (Liang et al. 2018, arXiv:1706.02690)",
    ),
    "mahalanobis": Kind(
        "Mahalanobis",
        "Mahal.",
        "distance to the nearest class mean (Lee et al. 2018, arXiv:1807.03888)",
        fitted=True,
    ),
    "knn": Kind(
        "kNN",
        "kNN",
        f"distance to the {NEIGHBOURS}th nearest training digit (Sun et al. 2022, arXiv:2204.06507)",
        fitted=True,
    ),
    "vim": Kind(
        "ViM",
        "ViM",
        "what the features' main directions leave over (Wang et al. 2022, arXiv:2203.10807)",
        fitted=True,
    ),
}


def possible(predictor: Predictor, *, fitted: bool) -> tuple[str, ...]:
    """The keys of `KINDS` that a model can have, in its order.

    Args:
        predictor: the model.
        fitted: whether training digits are at hand.
    """
    return tuple(
        name
        for name, method in KINDS.items()
        if (fitted or not method.fitted) and (predictor.detector or not method.shipped)
    )
