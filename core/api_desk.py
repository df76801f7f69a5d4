"""What the API's routes share: the models, the counters, and the threads that the work is done in."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np

from core.answer import answer_of
from core.api_batch import Batches
from core.api_metrics import Metrics
from core.api_settings import Settings
from core.archive import Limits
from core.cores import CORES
from core.errors import PictureError
from core.methods import methods_of
from core.paths import checkpoint_names
from core.picture import MAX_PIXELS, decoded_pixels, opened
from core.predictor import Prediction, Predictor
from core.preprocess import PreparedDigit, prepare
from core.reading import prepared_within
from core.served import Served

Result = TypeVar("Result")
File = tuple[str, bytes]  # its name and its content
Asked = tuple[File, str | None]  # a picture, and the model that is to read it

LARGE = 1_000_000  # pixels of a picture that takes long to decode: small ones don't wait behind it


class TakesLong(Exception):
    """A picture is large."""


class Desk:
    """The work behind the routes; `run` and `predict` are awaited, all else is called in threads.

    Args:
        settings: of the API.
    """

    def __init__(self, settings: Settings):
        self.settings, self.metrics, self.served = settings, Metrics(), Served(settings.model)
        self._small = Batches(self._small_predicted)
        # More threads than cores would only make each answer wait for the others.
        self._pool = ThreadPoolExecutor(CORES, thread_name_prefix="api")
        # What takes longer has threads of its own, so that no single digit waits behind it.
        self._slow = ThreadPoolExecutor(2, thread_name_prefix="api-slow")

    async def run(self, work: Callable[..., Result], *arguments: Any, slow: bool = False) -> Result:
        """Does work in a thread; the loop goes on with other requests."""
        pool = self._slow if slow else self._pool
        return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)

    async def predict(self, file: File, model: str | None) -> Prediction:
        """What a model says of one picture; small ones that come at the same time are read together.

        Raises:
            DigitscopeError: a picture or a model that can't be used.
        """
        try:
            return await self._small.ask((file, model))
        except TakesLong:
            return await self.run(self._predicted, file, model, slow=True)

    def _small_predicted(self, asked: Sequence[Asked]) -> list[Prediction | Exception]:
        """What the models say of some pictures, each answer in its place; or why there is none."""
        found: dict[int, Prediction | Exception] = {}
        digits: dict[Predictor, dict[int, PreparedDigit]] = {}
        for place, (file, model) in enumerate(asked):
            try:
                predictor = self.served.get(model)
                digits.setdefault(predictor, {})[place] = prepared(file, most=LARGE)
            except Exception as error:  # a bug too: it ends one answer, not those of the others
                found[place] = error
        for predictor, places in digits.items():
            predictions = predictor.predict(list(places.values()))
            for place, prediction in zip(places, predictions, strict=True):
                self.metrics.predicted(predictor.folder.name, prediction)
                found[place] = prediction
        return [found[place] for place in range(len(asked))]

    def _predicted(self, file: File, model: str | None) -> Prediction:
        predictor = self.served.get(model)
        prediction = predictor.predict(prepared(file))
        self.metrics.predicted(predictor.folder.name, prediction)
        return prediction

    def rows(self, files: Sequence[File], model: str | None) -> dict[str, Any]:
        """What a model says of many pictures; one that can't be used gives its error and the rest goes on.

        Raises:
            DigitscopeError: a model that can't be used.
        """
        predictor, rows, left = self.served.get(model), [], Limits().pixels
        for name, content in files:
            try:
                left -= decoded_pixels(content)
                answer = answer_of(name, predictor, prepared_within(left, name, content))
            except PictureError as error:
                rows.append({"file": name, "error": str(error)})
                continue
            self.metrics.predicted(predictor.folder.name, answer.prediction)
            rows.append(answer.to_json())
        failed = sum("error" in row for row in rows)
        return {"model": predictor.folder.name, "failed": failed, "results": rows}

    def card(self, model: str | None) -> dict[str, Any]:
        """A model's card, its layers, the methods that explain it, and the names of all models.

        Raises:
            DigitscopeError: a model that can't be used.
        """
        predictor = self.served.get(model)
        layers = predictor.layers
        about = {"layers": layers, "methods": methods_of(layers), "models": checkpoint_names()}
        return asdict(predictor.card) | about

    def ready(self) -> str:
        """The usual model's name, once it has answered.

        Raises:
            DigitscopeError: it can't be used.
        """
        predictor = self.served.get()
        example = np.zeros((28, 28), dtype=np.uint8)
        example[4:24, 13:15] = 255
        predictor.predict(example)
        return predictor.folder.name


def prepared(file: File, *, most: int = MAX_PIXELS) -> PreparedDigit:
    """A sent picture in MNIST's convention.

    Raises:
        PictureError: it can't be used.
        TakesLong: it has more than `most` pixels.
    """
    name, content = file
    picture = opened(content, name)
    if picture.width * picture.height > most:
        raise TakesLong
    return prepare(picture, name=name)
