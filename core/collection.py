"""Pictures of digits with their labels, prepared on all cores, or skipped and named."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from core.errors import DatasetError, PictureError, UnusableFile
from core.files import Files, legible
from core.labelled import Progress
from core.labelling import plan_of, root_of, shown
from core.picture import MAX_BYTES, Picture, decoded_pixels
from core.preprocess import prepare

MOST_THREADS = 8  # a large picture takes 200 MB while it is decoded
HEAD = 65_536  # bytes in which most pictures say how large they are
BEGINNINGS = (b"\x89PNG", b"\xff\xd8", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")  # of those that may say it later
AHEAD = 4  # pictures for each thread that are read before they are needed
REPORTS = 200  # at most so many of the progress

Prepared = UInt8[np.ndarray, "28 28"]


@dataclass(frozen=True, eq=False)
class Collection:
    """What could be used.

    Attributes:
        images: in MNIST's convention.
        labels: the digits, 0 to 9.
        names: the pictures' files.
        skipped: every other file but hidden ones, with the reason.
    """

    images: UInt8[np.ndarray, "n 28 28"]
    labels: Int64[np.ndarray, " n"]
    names: tuple[str, ...]
    skipped: tuple[str, ...]


def collect(files: Files, *, progress: Progress | None = None) -> Collection:
    """Prepares labelled pictures, on all cores.

    Args:
        files: with one subfolder a class (`0` to `9`), or pictures and a CSV (`core.listing`).
        progress: called with (done, total), in the caller's thread.

    Raises:
        DatasetError: no usable picture, too many or too large together, or a CSV without the columns that
            are needed.
    """
    root = root_of(files)
    plan = plan_of(files, root)
    total = len(plan.chosen)
    if total > files.most_pictures:
        raise DatasetError(
            f"{files.where}: {total:,} pictures; at most {files.most_pictures:,} are prepared. "
            "Split it, or unpack it and give the folder to `python -m core evaluate --data`."
        )
    if files.most_pixels is not None:
        _check_pixels(files, [name for name, _ in plan.chosen], files.most_pixels)
    skipped = [*files.skipped, *plan.skipped]
    images, labels, names = [], [], []
    pictures = ((shown(files, name), _picture(files, name)) for name, _ in plan.chosen)
    found = prepared(pictures, total, progress)
    for (name, label), result in zip(plan.chosen, found, strict=True):
        if isinstance(result, str):
            skipped.append(result)
            continue
        images.append(result)
        labels.append(label)
        names.append(legible(name.removeprefix(root)))
    if not images:
        first = f" ({len(skipped)} skipped, the first: {skipped[0]})" if skipped else ""
        raise DatasetError(
            f"{files.where}: no usable picture {plan.expected}{first}. Sort the pictures into one subfolder "
            "a digit, or put a CSV with the columns file and label beside them."
        )
    return Collection(np.stack(images), np.array(labels, dtype=np.int64), tuple(names), tuple(skipped))


def _check_pixels(files: Files, names: list[str], most: int) -> None:
    """Adds up what the pictures' headers say before any is decoded: 40 megapixels take up to 0.6 s.

    Raises:
        DatasetError: over `most` pixels together.
    """
    pixels = 0
    for count, name in enumerate(names, start=1):
        with suppress(UnusableFile):  # skipped and named later
            content = files.head(name, HEAD)
            found = decoded_pixels(content)
            if not found and len(content) == HEAD and content.startswith(BEGINNINGS):
                found = decoded_pixels(files.head(name, MAX_BYTES))
            pixels += found
        if pixels > most:
            raise DatasetError(
                f"{files.where}: its first {count:,} pictures, up to {shown(files, name)}, have over "
                f"{most // 10**6:,} megapixels together, the most that are prepared. Save them smaller "
                "(640 px are plenty for a digit), split them, or unpack them and give the folder to "
                "`python -m core evaluate --data`."
            )


def prepared(
    pictures: Iterable[tuple[str, Picture | UnusableFile]], total: int, progress: Progress | None
) -> Iterator[Prepared | str]:
    """Each picture in MNIST's convention, or why it can't be used, in their order.

    Args:
        pictures: names for the messages, and the pictures or why there is none; asked for in this thread.
        total: how many there are.
        progress: called with (done, total).
    """
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    waiting: deque[Future[Prepared | str]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="prepare")
    done = 0

    def next_one() -> Prepared | str:
        nonlocal done
        result = waiting.popleft().result()
        done += 1
        if progress and (done % max(1, total // REPORTS) == 0 or done == total):
            progress(done, total)
        return result

    try:
        for name, picture in pictures:
            waiting.append(pool.submit(_pixels, name, picture))
            if len(waiting) > AHEAD * threads:  # memory holds only few of the files at a time
                yield next_one()
        while waiting:
            yield next_one()
    finally:
        pool.shutdown(cancel_futures=True)


def _pixels(name: str, picture: Picture | UnusableFile) -> Prepared | str:
    if isinstance(picture, UnusableFile):
        return str(picture)
    try:
        return prepare(picture, name=name).pixels
    except PictureError as error:
        return str(error)


def _picture(files: Files, name: str) -> bytes | Path | UnusableFile:
    try:
        return files.picture(name)
    except UnusableFile as error:
        return error
