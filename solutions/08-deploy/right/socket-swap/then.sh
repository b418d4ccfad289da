#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/service/shelf.py
+++ b/service/shelf.py
@@ -50,6 +50,5 @@
         """Refresh until `stop` is set."""
         # BEGIN SOLUTION
-        while not stop.wait(LOOK_S):
-            self.refresh()
+        stop.wait()
         # INSTEAD: ...
         # END SOLUTION
--- a/service/__main__.py
+++ b/service/__main__.py
@@ -1,11 +1,49 @@
-"""Start the service: `python -m service --port 8080`. Given."""
+"""One listening socket, and one process after the other that answers on it.
+
+This process imports everything once. Whenever release.json changes it forks a new worker; when that one is
+ready, the old one stops taking connections, answers those that it has, and ends. When it is not, it goes.
+"""
 
 import argparse
+import os
+import signal
+import socket
+import time
+from pathlib import Path
 
-import uvicorn
+from service import worker
+
+RELEASE = Path("release.json")
+
+
+def start(door: socket.socket) -> tuple[int, bool]:
+    """A new worker: its process, and whether it could load what is served."""
+    reads, writes = os.pipe()
+    pid = os.fork()
+    if pid == 0:
+        try:
+            worker.serve(door, writes)
+        finally:
+            os._exit(0)
+    os.close(writes)
+    with os.fdopen(reads, "rb") as said:
+        return pid, said.read(5) == b"ready"
+
 
 parser = argparse.ArgumentParser()
 parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container: all networks")
 parser.add_argument("--port", type=int, default=8080)
 told = parser.parse_args()
-uvicorn.run("service.app:app", host=told.host, port=told.port, log_level="warning", access_log=False)
+door = socket.create_server((told.host, told.port), backlog=512)
+seen = RELEASE.read_text()
+now, _ = start(door)
+while True:
+    time.sleep(0.2)
+    text = RELEASE.read_text()
+    if text != seen:
+        seen = text
+        new, is_ready = start(door)
+        old, now = (now, new) if is_ready else (new, now)
+        os.kill(old, signal.SIGUSR1)
+    while os.waitpid(-1, os.WNOHANG)[0] > 0:
+        pass
--- /dev/null
+++ b/service/worker.py
@@ -0,0 +1,36 @@
+"""One process that answers: takes connections from a socket that it was given, until SIGUSR1."""
+
+import asyncio
+import os
+import signal
+import socket
+
+import uvicorn
+
+from service.app import app, shelf
+
+QUIET_S = 1.0
+
+
+def serve(door: socket.socket, said: int) -> None:
+    """Serve; write `ready` or `broke` to `said`; end when nobody is left, after SIGUSR1."""
+    asyncio.run(_serve(door, said))
+
+
+async def _serve(door: socket.socket, said: int) -> None:
+    told = asyncio.Event()
+    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, told.set)
+    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
+    serving = asyncio.create_task(server.serve(sockets=[door]))
+    while not server.started:
+        await asyncio.sleep(0.02)
+    os.write(said, b"ready" if shelf.served and not shelf.problem else b"broke")
+    os.close(said)
+    await told.wait()
+    asyncio.get_running_loop().remove_reader(door)  # takes no more; close() would drop what it just took
+    quiet_s = 0.0
+    while quiet_s < QUIET_S:  # one that was just taken has not asked yet; uvicorn ends the idle ones
+        await asyncio.sleep(0.1)
+        quiet_s = 0.0 if server.server_state.connections else quiet_s + 0.1
+    server.should_exit = True
+    await serving
PATCH
