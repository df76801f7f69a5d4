"""What the API counts, for Prometheus."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.responses import Response
from starlette.types import Scope

from core.api_paths import ROUTES
from core.predictor import Prediction

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Metrics:
    """Counters of one API, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.requests = Counter(
            "digitscope_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "digitscope_request_seconds",
            "From a request's first byte to its answer's last.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_progress = Gauge(
            "digitscope_requests_in_progress", "Requests worked on or waiting.", registry=self.registry
        )
        self.predictions = Counter(
            "digitscope_predictions",
            "Pictures answered, by what the model made of them.",
            ["model", "verdict"],
            registry=self.registry,
        )
        self.explanations = Counter(
            "digitscope_explanations", "Explanations given.", ["model", "method"], registry=self.registry
        )

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts a request, one that was turned away before its route too. Callers can't make labels up."""
        route = scope["path"] if scope["path"] in ROUTES else "none"
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def predicted(self, model: str, prediction: Prediction) -> None:
        """Counts an answer."""
        self.predictions.labels(model, prediction.verdict.kind if prediction.verdict else "none").inc()

    def response(self) -> Response:
        """All figures in Prometheus' text format."""
        return Response(generate_latest(self.registry), media_type=MEDIA_TYPE)
