#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/labels.py
+++ b/labels.py
@@ -17,5 +17,5 @@
     """
     # BEGIN SOLUTION
-    known = labels[labels["labelled"] <= as_of].sort_values("labelled")
+    known = labels.sort_values("labelled")
     known = known.drop_duplicates("order_id", keep="last")
     return predictions.merge(known[["order_id", "minutes", "labelled"]], on="order_id", how="left")
PATCH
