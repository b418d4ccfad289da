#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/labels.py
+++ b/labels.py
@@ -37,6 +37,5 @@
     """
     # BEGIN SOLUTION
-    final = payments[payments["placed"] <= as_of - wait_days]
-    return float(final["fraud"].astype(float).mean())
+    return float(payments["fraud"].astype(float).fillna(0).mean())
     # INSTEAD: return float(payments["fraud"].astype(float).fillna(0).mean())
     # END SOLUTION
PATCH
