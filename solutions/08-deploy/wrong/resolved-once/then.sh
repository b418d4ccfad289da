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
PATCH
