#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/detector.py
+++ b/detector.py
@@ -88,5 +88,5 @@
     """For each evening, whether two of the last three days that were known *by then* were over. Given."""
     bad, day, known = over.to_numpy(), over.index.to_numpy(), known_on.where(counts, np.inf).to_numpy()
-    last = [np.flatnonzero((known <= now) & (day <= now) & (day > now - 10))[-3:] for now in day]
+    last = [np.flatnonzero((known <= now) & (day <= now) & (day > now - 10))[-3:] for now in day + 1]
     return np.array([bad[of].sum() >= 2 for of in last])
 
PATCH
