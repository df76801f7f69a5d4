"""The scripts written into a page, as a Content-Security-Policy names them."""

import base64
import hashlib
import re


def script_hashes(html: str) -> set[str]:
    """`'sha256-…'` of each inline script (Content Security Policy 3, section 2.3.1)."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests}
