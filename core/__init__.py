"""Digitscope's core: data, models, predictions and explanations of handwritten digits; no screen."""

import os

# ONNX Runtime asks for it at its import, and reports its use to its maker otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
