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
@@ -1,5 +1,9 @@
-"""Start the service: `python -m service --port 8080`. Given."""
+"""Start the service, and start it again when release.json changes."""
 
 import argparse
+import os
+import signal
+import time
+from pathlib import Path
 
 import uvicorn
@@ -7,5 +11,14 @@
 parser = argparse.ArgumentParser()
 parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container: all networks")
 parser.add_argument("--port", type=int, default=8080)
 told = parser.parse_args()
-uvicorn.run("service.app:app", host=told.host, port=told.port, log_level="warning", access_log=False)
+while True:
+    served = Path("release.json").read_text()
+    service = os.fork()
+    if service == 0:
+        uvicorn.run("service.app:app", host=told.host, port=told.port, log_level="warning", access_log=False)
+        os._exit(0)
+    while Path("release.json").read_text() == served:
+        time.sleep(0.1)
+    os.kill(service, signal.SIGTERM)
+    os.waitpid(service, 0)
PATCH
