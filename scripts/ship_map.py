"""Writes the map of MNIST's test digits by the shipped network: again after each new one.

`python -m scripts.ship_map` takes a minute or two; the map of older weights is removed.
"""

import sys

from tqdm import tqdm

from core.array_cache import cache_key
from core.datasets import load_dataset
from core.embedding_map import map_of, shipped_maps
from core.errors import DigitscopeError
from core.predictor import Predictor

MODEL, DATASET = "cnn", "mnist-test"


def ship() -> str:
    """Returns the key of the map, which lies in `checkpoints/maps/` from now on.

    Raises:
        DigitscopeError: no checkpoint, no MNIST, or the folder can't be written.
    """
    predictor, digits = Predictor.load(MODEL), load_dataset(DATASET)
    key = cache_key(predictor.key, digits.digest)
    bar = tqdm(total=1, unit="iteration", leave=False, disable=None)

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    with bar:
        places = map_of(predictor.run(digits.images).embedding, key=key, progress=show)
    shipped_maps().write(key, places.astype("float16"))
    if shipped_maps().read(key, shape=places.shape) is None:
        raise DigitscopeError(f"{shipped_maps().folder} can't be written. Check who owns it.")
    return key


if __name__ == "__main__":
    try:
        print(f"{shipped_maps().folder / ship()}.npy")
    except DigitscopeError as error:
        sys.exit(str(error))
