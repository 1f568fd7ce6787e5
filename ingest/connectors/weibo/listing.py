"""One answer that lists posts: its numbers, and what of it is handed on."""

from __future__ import annotations

import json
from typing import Any

from ingest.connectors.weibo.client import loads
from ingest.connectors.weibo.posts import id_of
from ingest.protocol import Payload
from store.errors import RejectedError


class Listing:
    """``posts`` may be shortened and completed; ``payload`` is what is left of it, None when nothing is."""

    def __init__(self, channel: str, payload: Payload, key: str) -> None:
        self._sent = payload
        self._key = key
        document = loads(payload.body)
        found = document.get(key, ()) if isinstance(document, dict) else document
        if not isinstance(found, list):
            if found is not None:
                msg = f"ingest: {channel}: the answer lists no {key}; Weibo changed its format, report it"
                raise RejectedError(msg, reason="layout")
            found = []
        self.posts: list[Any] = found
        self.ids = [number for post in found if isinstance(post, dict) and (number := id_of(post))]

    def drop(self, known: int) -> None:
        """Leave out what was read before; what has no number stays."""
        self.posts = [
            post
            for post in self.posts
            if not isinstance(post, dict) or not 0 < id_of(post) <= known
        ]

    @property
    def payload(self) -> Payload | None:
        """In the form Weibo sends."""
        if not self.posts:
            return None
        body = json.dumps({self._key: self.posts}, separators=(",", ":")).encode()
        return Payload(body, self._sent.content_type, self._sent.url)
