#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/service/app.py
+++ b/service/app.py
@@ -19,4 +19,5 @@
 shelf = Shelf()
 counts = Counts()
+seen: list[dict[str, Any]] = []
 
 
@@ -52,4 +53,5 @@
         counts.add("promise_degraded_total", f'reason="{lacks}"')
     # END SOLUTION
+    seen.append(order)
     answer = {"minutes": minutes, "model_version": bundle.version, "degraded": bool(lacks)}
     shadow = ask_shadow(order, served.bundles.get(served.release.get("shadow") or ""))
PATCH
