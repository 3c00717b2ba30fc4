"""A web server on this machine for the download tests: it can resume, break off, and redirect."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Site:
    """Files by path, how many of the next answers break off half-way, and the requests that came in."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.break_off = 0
        self.can_resume = True
        self.shift = 0  # added to the place where the next resumed answer begins
        self.requests: list[tuple[str, str | None]] = []  # path, Range header


def _answer(handler: BaseHTTPRequestHandler, site: Site) -> None:
    path, asked = handler.path.lstrip("/"), handler.headers.get("Range")
    site.requests.append((path, asked))
    if path in site.redirects:
        handler.send_response(302)
        handler.send_header("Location", site.redirects[path])
        handler.end_headers()
        return
    if path not in site.files:
        handler.send_error(404)
        return
    data = site.files[path]
    start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and site.can_resume else 0
    if start >= len(data) and start:
        handler.send_error(416)
        return
    if start:
        start, site.shift = start + site.shift, 0
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    handler.send_header("Content-Length", str(len(data) - start))
    handler.end_headers()
    rest = data[start:]
    if site.break_off:
        site.break_off -= 1
        rest = rest[: len(rest) // 2]
    handler.wfile.write(rest)
    handler.close_connection = True


@contextmanager
def serve() -> Iterator[Site]:
    """A server on a free port, stopped afterwards."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, site)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
