"""Digitscope's core: data, models, predictions and explanations of handwritten digits; no screen."""
