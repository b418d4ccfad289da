#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/service/app.py
+++ b/service/app.py
@@ -90,7 +90,7 @@
 
 @app.get("/healthz")
-async def healthz() -> dict[str, str]:
-    """The process lives. Nothing else: who restarts it on a broken bundle gets the same broken bundle."""
-    return {"status": "alive"}
+async def healthz() -> JSONResponse:
+    """Whether all is well."""
+    return await readyz()
 
 
PATCH
