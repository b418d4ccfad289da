#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/detector.py
+++ b/detector.py
@@ -67,4 +67,6 @@
     now.loc[feed, [name for name in now if name.startswith("psi_")]] = np.nan
 
+    lately = now["error"].shift(1).rolling(7, min_periods=1).mean().fillna(0)
+    now["error"] -= lately  # the last week is the reference
     worse = evenings(now["error"] > limit(quiet["error"]), now["error"].notna(), now["known_on"])
     before, score = scores(quiet, quiet).max(axis=1), scores(quiet, now)
PATCH
