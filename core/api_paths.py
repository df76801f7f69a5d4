"""Where the API is, for who must know before it is loaded."""

PREDICT, MANY, EXPLAIN, MODEL = "/predict", "/api/predict", "/api/explain", "/api/model"
HEALTH, METRICS, DOCS, OPENAPI = "/healthz", "/metrics", "/docs", "/openapi.json"

MANY_PICTURES = {MANY}  # their bodies may be larger
PROBES = {HEALTH}  # asked by machines that carry no token; never turned away
FOR_EVERYBODY = (DOCS, OPENAPI)  # with no token too: a browser can't send one for a page


def is_api(path: str) -> bool:
    """Whether the API answers at a path; everything else is the dashboard's."""
    return path in (PREDICT, HEALTH, METRICS, DOCS, OPENAPI) or path.startswith(("/api/", DOCS + "/"))
