#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/service/door.py
+++ b/service/door.py
@@ -76,7 +76,5 @@
     check(order, bundle)
     # BEGIN SOLUTION
-    if reason := lacks(order, bundle):
-        return float(bundle.fallback.get(order["zone"], bundle.fallback["elsewhere"])), reason
-    minutes = bundle.minutes(order)
+    minutes = bundle.minutes({**order, **{name: order.get(name) or 0.0 for name in bundle.fields}})
     if not math.isfinite(minutes):
         return float(bundle.fallback.get(order["zone"], bundle.fallback["elsewhere"])), "no answer"
PATCH
