"""Embeddings on a plane: digits that a model finds alike lie close together."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Float64

from core.array_cache import ArrayCache
from core.datasets import Progress
from core.paths import checkpoints_folder, data_folder

MAPS = 32  # files kept: 40 KB each for 10,000 digits
FEW = 50  # distinct embeddings; for fewer the principal components show more than t-SNE
PERPLEXITY = 30.0
EXAGGERATED, PLAIN, REPORTED = 250, 500, 25  # iterations: early, of all, between two reports of progress
SEED = 23


def map_of(
    embeddings: Float32[np.ndarray, "n d"], *, key: str, progress: Progress | None = None
) -> Float32[np.ndarray, "n 2"]:
    """Places on a plane by t-SNE: near each other where the angle between the embeddings is small.

    van der Maaten and Hinton 2008, JMLR 9; as in openTSNE (Poličar et al. 2024, JSS 109). Distances between
    far groups, axes and units mean nothing. Fewer than 50 distinct embeddings are laid out by their first two
    principal components; equal ones lie on one point, also at any n. Deterministic on one machine, whatever
    its number of cores.

    Args:
        embeddings: `Outputs.embedding`, 10,000 in about a minute on one core.
        key: of model and data (`core.array_cache.cache_key`). A map under this key is read from
            `checkpoints/maps/`, where the shipped ones lie, or from `<data>/maps/`; else it is computed and
            kept there. It is rounded to half precision, computed or kept.
        progress: called with (done, total) iterations while the map is computed.
    """
    found = kept(key, n=len(embeddings))
    if found is None:
        found = _computed(embeddings, progress).astype(np.float16).astype(np.float32)
        _own_maps().write(key, found.astype(np.float16))
    return found


def kept(key: str, *, n: int) -> Float32[np.ndarray, "n 2"] | None:
    """The map of `n` digits under this key, if there is one already.

    Args:
        key: as for `map_of`.
        n: how many digits it must have.
    """
    for place in (shipped_maps(), _own_maps()):
        found = place.read(key, shape=(n, 2))
        if found is not None:
            return found.astype(np.float32)
    return None


def _own_maps() -> ArrayCache:
    return ArrayCache(data_folder() / "maps", limit=MAPS)


def inside(points: Float32[np.ndarray, "n 2"], area: Sequence[tuple[float, float]]) -> Bool[np.ndarray, " n"]:
    """Which places lie inside a line drawn on the map.

    Args:
        points: the places.
        area: the line's corners, three or more; it is closed from the last one to the first.
    """
    from matplotlib.path import Path  # a quarter of a second, and only for a lasso

    return np.asarray(Path(area).contains_points(points))


def shipped_maps() -> ArrayCache:
    """What comes with the checkpoints: the map of MNIST's test digits by the default model."""
    return ArrayCache(checkpoints_folder() / "maps", limit=1)


def _computed(
    embeddings: Float32[np.ndarray, "n d"], progress: Progress | None
) -> Float64[np.ndarray, "n 2"]:
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    normalised = embeddings / np.maximum(lengths, np.finfo(np.float32).tiny)
    distinct, places = np.unique(normalised, axis=0, return_inverse=True)
    laid_out = _principal(distinct) if len(distinct) < FEW else _tsne(distinct, progress)
    return laid_out[places]


def _principal(rows: Float32[np.ndarray, "m d"]) -> Float64[np.ndarray, "m 2"]:
    """The first two principal components, and zeros where there are not two."""
    centred = rows.astype(np.float64) - rows.mean(axis=0) if len(rows) else rows.astype(np.float64)
    scores, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    components = (scores * lengths)[:, :2]
    return np.pad(components, ((0, 0), (0, 2 - components.shape[1])))


def _tsne(rows: Float32[np.ndarray, "m d"], progress: Progress | None) -> Float64[np.ndarray, "m 2"]:
    from openTSNE import TSNE  # brings scikit-learn: seconds, and only for a map that is not kept

    total = EXAGGERATED + PLAIN
    done = 0

    def report(_iteration: int, _error: float, _embedding: object) -> None:
        nonlocal done
        done += REPORTED
        if progress:
            progress(done, total)

    method = TSNE(
        perplexity=min(PERPLEXITY, (len(rows) - 1) / 3),
        early_exaggeration_iter=EXAGGERATED,
        n_iter=PLAIN,
        negative_gradient_method="bh",
        callbacks=report,
        callbacks_every_iters=REPORTED,
        n_jobs=1,  # sums in threads differ with their number, and cost more than they save beside other work
        random_state=SEED,
    )
    return np.asarray(method.fit(rows), dtype=np.float64)
