"""Answers in gzip, for whoever takes it: Dash's own scripts are a megabyte otherwise.

A file is compressed once and kept, as many as fit; what changes with each answer is compressed each time.
"""

import gzip
from collections import OrderedDict
from typing import Final

from flask import Response, request

_TYPES: Final = ("text/html", "text/css", "text/javascript", "application/javascript", "application/json")
_LEAST: Final = 1000
_LEVEL: Final = 6
_KEPT: Final = 64


class Compressor:
    """The step that compresses; holds what it has compressed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def __call__(self, response: Response) -> Response:
        if (
            response.status_code != 200
            or response.mimetype not in _TYPES
            or (response.is_streamed and not response.direct_passthrough)
            or "Content-Encoding" in response.headers
            or request.accept_encodings.quality("gzip") <= 0
        ):
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) < _LEAST:
            return response
        response.set_data(self._compressed(response, body))
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        etag, _ = response.get_etag()
        if etag is not None:
            # The bytes are others than those that the tag was made for.
            response.set_etag(etag, weak=True)
        return response

    def _compressed(self, response: Response, body: bytes) -> bytes:
        lasting = response.cache_control.max_age or response.last_modified
        if not lasting:
            return gzip.compress(body, _LEVEL, mtime=0)
        key = (request.path, f"{len(body)} {response.last_modified}")
        found = self._kept.pop(key, None)
        if found is None:
            found = gzip.compress(body, _LEVEL, mtime=0)
        self._kept[key] = found
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found
