#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/predictions.toml
+++ b/predictions.toml
@@ -15,15 +15,15 @@
 [new-bridge]        # the way gets shorter, the straight line does not
 moves = ["nothing"]
-error_rises = "yes"
+error_rises = ""
 needs_labels = "yes"
 
 [metres]            # the feed sends kilometres as metres
 moves = ["distance_km"]
-error_rises = "yes"
+error_rises = ""
 needs_labels = "no"
 
 [broken-labels]     # the couriers' app reports seconds
 moves = ["nothing"]
-error_rises = "yes"
+error_rises = ""
 needs_labels = "yes"
 # INSTEAD: [decoy-week]        # a promotion for large baskets
PATCH
