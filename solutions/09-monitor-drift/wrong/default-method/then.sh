#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/report.py
+++ b/report.py
@@ -20,5 +20,5 @@
     """
     # BEGIN SOLUTION
-    found = column_drift(reference, current, COLUMNS, method="psi")
+    found = column_drift(reference, current, COLUMNS)
     # INSTEAD: found = column_drift(reference, current, COLUMNS)
     # END SOLUTION
PATCH
