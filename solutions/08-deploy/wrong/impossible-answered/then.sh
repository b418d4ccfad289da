#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/service/door.py
+++ b/service/door.py
@@ -51,6 +51,6 @@
         elif isinstance(value, bool) or not isinstance(value, int | float):
             raise Refused(f"{name}: a number is needed")
-        elif not rule["low"] <= value <= rule["high"]:
-            raise Refused(f"{name}: {rule['low']} to {rule['high']} is possible")
+        elif not -1e9 < value < 1e9:
+            raise Refused(f"{name}: a number that can be one is needed")
     # INSTEAD: ...
     # END SOLUTION
PATCH
