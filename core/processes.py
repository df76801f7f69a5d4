"""Several processes that train one network, each on its share of every batch: started by `torchrun`."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor

from core.errors import DigitscopeError

T = TypeVar("T")


@contextmanager
def joined() -> Iterator[int]:
    """Meets the other processes, where `torchrun` started more than one; yields this one's rank.

    They talk through NCCL on GPUs and through gloo on processors.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield 0
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield dist.get_rank()
        dist.barrier()  # nobody closes a connection that another still reads from
    finally:
        # DistributedDataParallel lies in reference cycles and holds the group: its threads would outlive the
        # interpreter and abort the process (pytorch/pytorch#179291).
        gc.collect()
        dist.destroy_process_group()


def rank() -> int:
    """This process's number; 0 writes the files."""
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def from_first(value: T) -> T:
    """The value that process 0 has; the processes wait for each other."""
    if not dist.is_initialized():
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def on_first(work: Callable[[], T]) -> T:
    """Process 0's work, with its value, or its error, for all; the processes wait for each other.

    Raises:
        DigitscopeError: what the work raised, in every process.
    """
    found: tuple[T | None, DigitscopeError | None] = (None, None)
    if rank() == 0:
        try:
            found = (work(), None)
        except DigitscopeError as error:
            found = (None, error)
    value, problem = from_first(found)
    if problem:
        raise problem
    return cast(T, value)


def summed(sums: Tensor) -> Tensor:
    """The sum over all processes; they wait for each other."""
    if not dist.is_initialized():
        return sums
    total = sums.clone()
    dist.all_reduce(total)
    return total
