#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/alerts_test.yml
+++ b/alerts_test.yml
@@ -15,35 +15,4 @@
         exp_alerts: []
       # BEGIN SOLUTION
-      - alertname: ModelHarm
-        eval_time: 1d12h
-        exp_alerts: &harm
-          - exp_labels: {severity: page, kind: relation}
-            exp_annotations: {summary: "relation: the promises are not to be trusted"}
-      - alertname: ModelHarm
-        eval_time: 2d20h
-        exp_alerts: *harm
-      - alertname: ModelHarm
-        eval_time: 3d6h
-        exp_alerts: []
-      - alertname: MonitorSilent
-        eval_time: 3d6h
-        exp_alerts: []
-  - interval: 1d
-    input_series:
-      - series: tiffin_monitor_day
-        values: "90 91 _ _"
-      - series: tiffin_monitor_kind{kind="input"}
-        values: "0 1 _ _"
-    alert_rule_test:
-      - alertname: InputsMoved
-        eval_time: 1d6h
-        exp_alerts:
-          - exp_labels: {severity: ticket, kind: input}
-            exp_annotations: {summary: "Inputs left their quiet shape; the error has not. Annotate."}
-      - alertname: MonitorSilent
-        eval_time: 2d12h
-        exp_alerts:
-          - exp_labels: {severity: page}
-            exp_annotations: {summary: "No word of the monitor for over a day. Green means nothing now."}
       # INSTEAD: # that it rings on day 91 and stays until day 93; that inputs wake nobody; that silence does
       # END SOLUTION
PATCH
