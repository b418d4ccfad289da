#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/alerts.yml
+++ b/alerts.yml
@@ -20,5 +20,5 @@
         # END SOLUTION
         labels:
-          severity: ticket
+          severity: page
         annotations:
           summary: "Inputs left their quiet shape; the error has not. Annotate."
--- a/detector.py
+++ b/detector.py
@@ -77,5 +77,5 @@
     told = pd.DataFrame({"day": now.index, "kind": kind})
     # BEGIN SOLUTION
-    told["alarm"] = told["kind"].isin(HARM)
+    told["alarm"] = told["kind"] != "none"
     # INSTEAD: told["alarm"] = told["kind"] != "none"
     # END SOLUTION
PATCH
