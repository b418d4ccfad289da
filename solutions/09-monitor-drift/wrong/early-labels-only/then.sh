#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/labels.py
+++ b/labels.py
@@ -37,6 +37,5 @@
     """
     # BEGIN SOLUTION
-    final = payments[payments["placed"] <= as_of - wait_days]
-    return float(final["fraud"].astype(float).mean())
+    return float(payments["fraud"].astype(float).mean())
     # INSTEAD: return float(payments["fraud"].astype(float).fillna(0).mean())
     # END SOLUTION
@@ -48,5 +47,4 @@
     Given. Of all, not of those that are labelled by now: of those, everything is labelled.
     """
-    came = joined["labelled"].fillna(np.inf)
-    moment = came.groupby(joined["day"]).quantile(share, interpolation="higher")
-    return np.maximum(np.ceil(moment) - 1, moment.index)
+    days = np.unique(joined["day"])
+    return pd.Series(days.astype(float), days)
PATCH
