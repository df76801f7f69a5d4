"""Gradients as a CUDA graph: the kernels of a step recorded once, and launched together from then on.

The network is so small that a GPU waits for Python to launch its kernels most of the time.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.training_data import Batch

WARM_UPS = 3  # what PyTorch asks for before a recording, so that libraries have chosen their kernels

Gradients = Callable[[Batch, int], tuple[Tensor, Tensor]]


class GraphedGradients:
    """Computes the gradients of batches of one size.

    Args:
        gradients: leaves gradients at the model's parameters and returns a loss and a count; must not
            wait for the device. Called with a batch and its size.
        model: whose running statistics the warm-up must not move.
        batch: of the size; its values do not matter.
    """

    def __init__(self, gradients: Gradients, model: nn.Module, batch: Batch):
        taught = None if batch.taught is None else batch.taught.clone()
        self._batch = Batch(batch.images.clone(), batch.targets.clone(), taught)
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._warm_up(gradients, model)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._found = gradients(self._batch, len(batch))
        self._gradients = [p.grad for p in self._parameters]

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Leaves the batch's gradients at the parameters; what it returns holds until the next call."""
        self._batch.images.copy_(batch.images)
        self._batch.targets.copy_(batch.targets)
        if self._batch.taught is not None and batch.taught is not None:
            self._batch.taught.copy_(batch.taught)
        self._graph.replay()
        for parameter, gradient in zip(self._parameters, self._gradients, strict=True):
            parameter.grad = gradient  # those of another size's graph lie elsewhere
        return self._found

    def _warm_up(self, gradients: Gradients, model: nn.Module) -> None:
        """On a stream of its own, and without a trace in the running statistics or the random numbers."""
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        random = torch.cuda.get_rng_state()
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                gradients(self._batch, len(self._batch))
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
        torch.cuda.set_rng_state(random)
