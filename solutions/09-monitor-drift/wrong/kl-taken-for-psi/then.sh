#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/index.py
+++ b/index.py
@@ -30,5 +30,5 @@
         r = np.maximum(reference, 0.5) / reference.sum()
         c = np.maximum(current, 0.5) / rows
-        index = ((c - r) * np.log(c / r)).sum(axis=-1)
+        index = (c * np.log(c / r)).sum(axis=-1)
     return np.where(rows[..., 0] > 0, index, np.nan)
     # INSTEAD: raise NotImplementedError("The sum over the bins of (c - r) * ln(c / r), of shares.")
PATCH
