"""A server with the four S3 calls that a bucket of files takes: HEAD, GET, PUT, and nothing else.

No S3 service can be started by the tests; the client that talks to this one is the real one.
"""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Bucket(ThreadingHTTPServer):
    """Keeps objects in memory by the path they were put under."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects = {}
        self.is_broken = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.is_broken:
            self._end(500)
            return
        self.server.objects[self.path] = body
        self._end(200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'})

    def _answer(self, *, with_body):
        found = self.server.objects.get(self.path.partition("?")[0])
        if self.server.is_broken or found is None:
            self._end(500 if self.server.is_broken else 404)
            return
        self._end(200, {"Last-Modified": "Mon, 02 Jan 2006 15:04:05 GMT"}, found, with_body)

    def _end(self, status, headers=None, body=b"", with_body=True):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def running_bucket():
    """Yield a bucket's server."""
    server = Bucket()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
