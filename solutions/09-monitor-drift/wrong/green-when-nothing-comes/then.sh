#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/alerts.yml
+++ b/alerts.yml
@@ -24,10 +24,4 @@
           summary: "Inputs left their quiet shape; the error has not. Annotate."
       # BEGIN SOLUTION
-      - alert: MonitorSilent
-        expr: absent(last_over_time(tiffin_monitor_day[26h]))
-        labels:
-          severity: page
-        annotations:
-          summary: "No word of the monitor for over a day. Green means nothing now."
       # INSTEAD: # MonitorSilent, severity page: nothing came for more than a day
       # END SOLUTION
--- a/detector.py
+++ b/detector.py
@@ -59,5 +59,5 @@
     # the contract: broken days are told first, and nothing else is believed of them
     # BEGIN SOLUTION
-    feed = (now["rows"] == 0) | (now[["nulls", "outside", "doubled"]].max(axis=1) > 0.05)
+    feed = now[["nulls", "outside", "doubled"]].max(axis=1) > 0.05
     odd = (now["odd_labels"] > 0.05) & ~feed
     # INSTEAD: feed = now["nulls"] > 0.05
PATCH
