#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/signals.py
+++ b/signals.py
@@ -26,6 +26,5 @@
     """
     # BEGIN SOLUTION
-    quiet = relative_error(reference).groupby(np.searchsorted(RAIN, reference["rain_mm"])).mean()
-    return pd.Series(np.searchsorted(RAIN, log["rain_mm"]), log.index).map(quiet)
+    return pd.Series(relative_error(reference).mean(), log.index)
     # INSTEAD: return pd.Series(relative_error(reference).mean(), log.index)
     # END SOLUTION
PATCH
