#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/detector.py
+++ b/detector.py
@@ -10,5 +10,5 @@
 FEATURES = ["distance_km", "items", "basket_eur", "promotion", "rain_mm", "couriers_free", "kitchen_queue"]
 # BEGIN SOLUTION
-# The temperature is left out: it has a season, and 90 quiet days of spring say nothing about June.
+FEATURES.append("temperature_c")
 # INSTEAD: FEATURES.append("temperature_c")
 # END SOLUTION
PATCH
