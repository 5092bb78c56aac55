"""The headers of every answer: what a browser may load, run and frame. No inline script, no other site."""

from collections.abc import Callable, Iterable

from flask import Response


def secure(script_hashes: Iterable[str], frame_ancestors: str) -> Callable[[Response], Response]:
    """Make the step that adds the headers.

    Args:
        script_hashes: Of the inline scripts that Dash itself writes, as Content-Security-Policy spells them.
        frame_ancestors: Who may show the pages in a frame.
    """
    # Dash's own components write style attributes; scripts they bring are files of this server.
    policy = "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self'", *script_hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestors}",
        )
    )

    def add(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        # A wall must never show yesterday's page; files with a fingerprint say themselves how long they last.
        if response.mimetype in ("text/html", "application/json"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return add
