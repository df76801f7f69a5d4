"""Questions that are answered together: each gets its own answer, alone it waits for nobody."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from core.api_batch import MOST, Batches


class Square:
    """Answers with squares, but refuses odd numbers; the first go waits until it may go on."""

    def __init__(self) -> None:
        self.goes: list[list[int]] = []
        self.started, self.go_on = threading.Event(), threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.goes.append(list(numbers))
        self.started.set()
        assert self.go_on.wait(30)
        return [ValueError(f"{number} is odd") if number % 2 else number**2 for number in numbers]


async def asked(batches: Batches[int, int], square: Square, numbers: Sequence[int]) -> list[object]:
    """The first number finds the thread idle; the others come while it works."""
    first = asyncio.create_task(batches.ask(numbers[0]))
    await asyncio.to_thread(square.started.wait, 30)
    others = [asyncio.create_task(batches.ask(number)) for number in numbers[1:]]
    await asyncio.sleep(0)
    square.go_on.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_what_waits_goes_together_and_each_gets_its_own_answer():
    square = Square()
    found = asyncio.run(asked(Batches(square), square, [2, 4, 7, 6]))
    assert square.goes == [[2], [4, 7, 6]]
    assert found[:2] + found[3:] == [4, 16, 36]
    assert isinstance(found[2], ValueError)
    assert str(found[2]) == "7 is odd"


def test_no_more_than_so_many_go_together():
    square = Square()
    numbers = [2 * place for place in range(MOST + 3)]
    assert asyncio.run(asked(Batches(square), square, numbers)) == [number**2 for number in numbers]
    assert [len(go) for go in square.goes] == [1, MOST, 2]


def test_who_has_left_is_not_worked_for():
    square = Square()
    batches = Batches(square)

    async def leave() -> None:
        first = asyncio.create_task(batches.ask(2))
        await asyncio.to_thread(square.started.wait, 30)
        gone, stays = asyncio.create_task(batches.ask(4)), asyncio.create_task(batches.ask(6))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        square.go_on.set()
        assert await asyncio.gather(first, stays) == [4, 36]

    asyncio.run(leave())
    assert square.goes == [[2], [6]]


def test_a_bug_reaches_everyone_and_the_next_is_answered():
    broken = [True]

    def answer(numbers: Sequence[int]) -> list[int]:
        return [1 // 0 if broken.pop() else 1] if broken else list(numbers)

    async def twice() -> None:
        batches = Batches(answer)
        with pytest.raises(ZeroDivisionError):
            await batches.ask(1)
        assert await batches.ask(5) == 5

    asyncio.run(twice())
