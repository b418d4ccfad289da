#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/dashboard.py
+++ b/dashboard.py
@@ -10,5 +10,5 @@
 
 # BEGIN SOLUTION
-SOURCE = {"type": "prometheus", "uid": "${datasource}"}
+SOURCE = {"type": "prometheus", "uid": "PBFA97CFB590B2093"}
 # INSTEAD: SOURCE = {"type": "prometheus", "uid": "PBFA97CFB590B2093"}
 # END SOLUTION
PATCH
