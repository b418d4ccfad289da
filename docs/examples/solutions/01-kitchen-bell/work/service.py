"""The bell over HTTP: GET /healthz and POST /ring."""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import bell


class Bell(BaseHTTPRequestHandler):
    """Answers one request."""

    def do_GET(self) -> None:
        self.answer(200 if self.path == "/healthz" else 404, {})

    def do_POST(self) -> None:
        asked = json.loads(
            self.rfile.read(int(self.headers["Content-Length"]))
        )
        self.answer(
            200,
            {"left": bell.minutes_left(asked["cooking"], asked["passed"])},
        )

    def answer(self, status: int, body: dict[str, int]) -> None:
        """Send a JSON body."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Bell).serve_forever()
