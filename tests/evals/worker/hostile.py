"""A small HTTP server that answers as a test tells it to: well, badly, late, or never."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def answer(text="4", given=7, made=1):
    """Return a good answer of both kinds of endpoint."""
    choice = {"index": 0, "text": text, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": given, "completion_tokens": made}
    return 200, {}, json.dumps({"choices": [choice], "usage": usage})


class Hostile:
    """Serves on a free port of this host; `plan` holds what comes next, its last entry for ever."""

    def __init__(self) -> None:
        self.plan = [answer()]
        self.seen = []
        self.busy = self.most_at_once = 0
        self.drip_seconds = self.delay_seconds = 0.0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                outer._hear(self, body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def _hear(self, handler, body):
        with self._lock:
            self.seen.append((handler.path, dict(handler.headers), json.loads(body)))
            status, headers, content = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
            self.busy += 1
            self.most_at_once = max(self.most_at_once, self.busy)
        time.sleep(self.delay_seconds)
        with self._lock:
            # Before the answer goes out: who has it may ask again before this thread goes on.
            self.busy -= 1
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            data = content if isinstance(content, bytes) else content.encode()
            handler.send_header("content-length", str(len(data)))
            handler.end_headers()
            step = 10 if self.drip_seconds else len(data) or 1
            for start in range(0, len(data), step):
                handler.wfile.write(data[start : start + step])
                handler.wfile.flush()
                time.sleep(self.drip_seconds)
        except OSError:
            pass
