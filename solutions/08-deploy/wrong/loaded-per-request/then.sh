#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/service/app.py
+++ b/service/app.py
@@ -12,5 +12,5 @@
 
 from service import door
-from service.bundle import Bundle
+from service.bundle import Bundle, load
 from service.counts import Counts
 from service.route import version_for
@@ -45,5 +45,5 @@
     order = door.read(body)
     customer = order.get("customer")
-    bundle = served.bundles[version_for(customer, served.release)]
+    bundle = load(version_for(customer, served.release))
     minutes, lacks = door.answer(order, bundle)
     counts.add("promise_answers_total", f'version="{bundle.version}"')
PATCH
