#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/detector.py
+++ b/detector.py
@@ -67,10 +67,9 @@
     now.loc[feed, [name for name in now if name.startswith("psi_")]] = np.nan
 
-    worse = evenings(now["error"] > limit(quiet["error"]), now["error"].notna(), now["known_on"])
     before, score = scores(quiet, quiet).max(axis=1), scores(quiet, now)
     moved = two_of_three((score.max(axis=1) > limit(before)).to_numpy())
 
     # BEGIN SOLUTION
-    kind = np.select([feed, odd, worse, moved], ["feed", "labels", "relation", "input"], "none")
+    kind = np.select([feed, odd, moved], ["feed", "labels", "input"], "none")
     # INSTEAD: kind = np.where(moved, "input", "none")  # and the other three
     # END SOLUTION
PATCH
