#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/alerts.yml
+++ b/alerts.yml
@@ -6,5 +6,6 @@
       - alert: ModelHarm
         # BEGIN SOLUTION
-        expr: last_over_time(tiffin_monitor_kind{kind=~"feed|labels|relation"}[26h]) == 1
+        expr: tiffin_monitor_kind{kind=~"feed|labels|relation"} == 1
+        for: 2d
         # INSTEAD: expr: tiffin_monitor_kind{kind=~"feed|labels|relation"} == 1
         # INSTEAD: for: 2d
--- a/export.py
+++ b/export.py
@@ -23,6 +23,5 @@
     kinds = Gauge("tiffin_monitor_kind", "1 for what was told that day", ["kind"], registry=registry)
     # BEGIN SOLUTION
-    for kind in KINDS:
-        kinds.labels(kind=kind).set(int(kind == last["kind"]))
+    kinds.labels(kind=last["kind"]).set(1)
     # INSTEAD: kinds.labels(kind=last["kind"]).set(1)
     # END SOLUTION
PATCH
