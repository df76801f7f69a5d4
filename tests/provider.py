"""An OpenID Connect provider that signs everybody in as Ada: `python -m tests.provider PORT`."""

import sys
import time

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

KEY = RSAKey.generate_key(2048, {"kid": "one"})
ADA = {"sub": "1", "name": "Ada", "email": "ada@example.com", "email_verified": True}
nonces: dict[str, str] = {}


def metadata(request: Request) -> Response:
    base = str(request.base_url).rstrip("/")
    return JSONResponse(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


def authorize(request: Request) -> Response:
    asked = request.query_params
    assert asked["response_type"] == "code"
    assert asked["code_challenge"]
    code = f"code-{len(nonces)}"
    nonces[code] = asked["nonce"]
    return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}")


async def token(request: Request) -> Response:
    form = await request.form()
    now = int(time.time())
    claims = ADA | {
        "iss": str(request.base_url).rstrip("/"),
        "aud": "digitscope",
        "iat": now,
        "exp": now + 600,
        "nonce": nonces.pop(str(form["code"])),
    }
    signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
    return JSONResponse(
        {"access_token": "none", "token_type": "Bearer", "expires_in": 600, "id_token": signed}
    )


def keys(_: Request) -> Response:
    return JSONResponse({"keys": [KEY.as_dict(private=False)]})


app = Starlette(
    routes=[
        Route("/.well-known/openid-configuration", metadata),
        Route("/authorize", authorize),
        Route("/token", token, methods=["POST"]),
        Route("/keys", keys),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
