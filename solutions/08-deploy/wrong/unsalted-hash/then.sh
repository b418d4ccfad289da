#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/service/route.py
+++ b/service/route.py
@@ -17,5 +17,5 @@
     # BEGIN SOLUTION
     if canary is not None and customer is not None:
-        digest = hashlib.sha256(f"{canary['salt']}:{customer}".encode(errors="replace")).digest()
+        digest = hashlib.sha256(str(customer).encode(errors="replace")).digest()
         if int.from_bytes(digest[:8], "big") / 2**64 < canary["share"]:
             return str(canary["version"])
PATCH
