"""Where the API is, for who must know before it is loaded."""

PREDICT, MANY, EXPLAIN, MODEL = "/predict", "/api/predict", "/api/explain", "/api/model"
HEALTH, METRICS, DOCS, OPENAPI = "/healthz", "/metrics", "/docs", "/openapi.json"

ROUTES = (PREDICT, MANY, EXPLAIN, MODEL, HEALTH, METRICS, DOCS, OPENAPI)

MANY_PICTURES = {MANY}  # their bodies may be larger
PROBES = {HEALTH}  # asked by machines that carry no token; never turned away
FOR_EVERYBODY = (DOCS, OPENAPI)  # with no token too: a browser can't send one for a page


def is_api(path: str) -> bool:
    """Whether the API answers at a path; everything else is the dashboard's."""
    return without_slash(path) in ROUTES or path.startswith(("/api/", DOCS + "/"))


def without_slash(path: str) -> str:
    """A path without a slash at its end, which programs that join addresses leave there."""
    return path.rstrip("/") or "/"
