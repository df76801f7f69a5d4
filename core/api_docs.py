"""The page of the API's documentation: nothing on it comes from elsewhere, and nothing else may run there."""

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from core.api_paths import DOCS, OPENAPI
from core.inline_scripts import script_hashes

ASSETS = f"{DOCS}/assets"
# No badge from elsewhere; and no link within each button, which the keyboard and a screen reader trip over.
PARAMETERS = {"validatorUrl": None, "defaultModelsExpandDepth": 0, "deepLinking": False}
STYLE, SCRIPT = (
    (files("core") / "templates" / f"api_docs.{kind}").read_text("utf-8") for kind in ("css", "js")
)
POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def add_docs(api: FastAPI) -> None:
    """Swagger UI at `/docs`, from the files that fastapi-offline ships."""
    page = get_swagger_ui_html(
        openapi_url=OPENAPI,
        title="Digitscope: HTTP API",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon.png",
        swagger_ui_parameters=PARAMETERS,
    )
    html = bytes(page.body).decode().replace("<html>", '<html lang="en">', 1)
    html = html.replace("</head>", f"<style>{STYLE}</style><script>{SCRIPT}</script></head>", 1)
    headers = {"Content-Security-Policy": POLICY.format(scripts=" ".join(script_hashes(html)))}

    async def docs() -> HTMLResponse:
        return HTMLResponse(html, headers=headers)

    api.add_api_route(DOCS, docs, include_in_schema=False)
    folder = Path(str(files("fastapi_offline") / "static"))
    api.mount(ASSETS, StaticFiles(directory=folder), name="docs-assets")
