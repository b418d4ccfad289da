#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/detector.py
+++ b/detector.py
@@ -6,4 +6,5 @@
 import numpy as np
 import pandas as pd
+from scipy.stats import chi2
 from signals import signals
 
@@ -68,6 +69,8 @@
 
     worse = evenings(now["error"] > limit(quiet["error"]), now["error"].notna(), now["known_on"])
-    before, score = scores(quiet, quiet).max(axis=1), scores(quiet, now)
-    moved = two_of_three((score.max(axis=1) > limit(before)).to_numpy())
+    score = scores(quiet, now)
+    names = [f"psi_{name}" for name in FEATURES]
+    p_value = pd.DataFrame({name: chi2.sf(now[name] * now["rows"], 9) for name in names}, now.index)
+    moved = (p_value.min(axis=1) < 0.05).to_numpy()
 
     # BEGIN SOLUTION
PATCH
