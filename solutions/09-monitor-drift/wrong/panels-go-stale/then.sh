#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/dashboard.py
+++ b/dashboard.py
@@ -39,5 +39,5 @@
         "panels": [
             # BEGIN SOLUTION
-            panel(1, "state-timeline", "What was told", "last_over_time(tiffin_monitor_kind[26h])", 0, 12),
+            panel(1, "state-timeline", "What was told", "tiffin_monitor_kind", 0, 12),
             panel(2, "stat", "Last day looked at", "last_over_time(tiffin_monitor_day[26h])", 12, 6),
             panel(3, "stat", "Silent", "absent_over_time(tiffin_monitor_day[26h]) or vector(0)", 18, 6),
PATCH
