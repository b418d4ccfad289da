#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/k8s/promise.yaml
+++ b/k8s/promise.yaml
@@ -11,6 +11,5 @@
     type: RollingUpdate
     rollingUpdate:
-      maxUnavailable: 0
-      maxSurge: 1
+      maxUnavailable: 1
   # INSTEAD: replicas: 1
   # END SOLUTION
PATCH
