#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/dashboard.py
+++ b/dashboard.py
@@ -11,5 +11,5 @@
 # BEGIN SOLUTION
 VARIABLES = [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
-SOURCE = {"type": "prometheus", "uid": "${datasource}"}
+SOURCE = {"type": "prometheus", "uid": "PBFA97CFB590B2093"}
 # INSTEAD: VARIABLES: list[dict[str, str]] = []
 # INSTEAD: SOURCE = {"type": "prometheus", "uid": "PBFA97CFB590B2093"}
PATCH
