"""What training runs on: which device, what arithmetic is fast there, and its name for the records."""

import os
import platform

import torch

from core.config import TrainConfig


def best_device() -> torch.device:
    """CUDA where there is one (the process's own, of several), else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def precision(config: TrainConfig, device: torch.device) -> str:
    """What `auto` means here: bfloat16 where the hardware multiplies it faster than float32."""
    if config.precision != "auto":
        return config.precision
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and config.channels_last and torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if fast and config.architecture == "DigitCNN" else "float32"


def describe_hardware(device: torch.device) -> str:
    """The device in words: the GPU's name, or the processor, its cores and the threads in use."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    used = f", {threads} thread{'s' if threads > 1 else ''}" if threads != os.cpu_count() else ""
    return f"{platform.machine()} {device.type.upper()}, {os.cpu_count()} cores{used}"
