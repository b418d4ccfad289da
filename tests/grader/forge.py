"""A forge on this machine: serves the bare repositories of a folder by Git's smart protocol."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


class _Pages(BaseHTTPRequestHandler):
    def __init__(self, folder: Path, *words: object) -> None:
        self.folder = folder
        super().__init__(*words)  # type: ignore[arg-type]  # what the server gives

    def do_GET(self) -> None:
        name, _, rest = self.path.lstrip("/").partition("/info/refs?")
        if rest != "service=git-upload-pack" or not (self.folder / name).is_dir():
            self.send_error(404)
            return
        self._answer(name, b"", "--advertise-refs", before=b"001e# service=git-upload-pack\n0000")

    def do_POST(self) -> None:
        name = self.path.lstrip("/").removesuffix("/git-upload-pack")
        self._answer(name, self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, name: str, asked: bytes, *words: str, before: bytes = b"") -> None:
        kind = "advertisement" if words else "result"
        told = subprocess.run(
            ["git", "upload-pack", "--stateless-rpc", *words, str(self.folder / name)],
            input=asked,
            capture_output=True,
            env=os.environ | {"GIT_PROTOCOL": self.headers.get("Git-Protocol", "")},
            check=False,
        ).stdout
        self.send_response(200)
        self.send_header("Content-Type", f"application/x-git-upload-pack-{kind}")
        self.end_headers()
        self.wfile.write((b"" if "version=2" in self.headers.get("Git-Protocol", "") else before) + told)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def forge(folder: Path) -> Iterator[str]:
    """The address under which the bare repositories of a folder are served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, folder)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
