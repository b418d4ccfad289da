#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/detector.py
+++ b/detector.py
@@ -68,6 +68,7 @@
 
     worse = evenings(now["error"] > limit(quiet["error"]), now["error"].notna(), now["known_on"])
-    before, score = scores(quiet, quiet).max(axis=1), scores(quiet, now)
-    moved = two_of_three((score.max(axis=1) > limit(before)).to_numpy())
+    before, score = scores(quiet, quiet), scores(quiet, now)
+    over = pd.DataFrame({name: score[name] > limit(before[name]) for name in FEATURES})
+    moved = two_of_three((over.mean(axis=1) >= 0.5).to_numpy())
 
     # BEGIN SOLUTION
PATCH
