#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/service/door.py
+++ b/service/door.py
@@ -6,5 +6,5 @@
 import math
 from collections.abc import Mapping
-from typing import Any, NoReturn
+from typing import Any
 
 from service.bundle import Bundle
@@ -23,5 +23,5 @@
     # BEGIN SOLUTION
     try:
-        order = json.loads(body, parse_constant=_no_constant)
+        order = json.loads(body)
     except (ValueError, RecursionError) as error:
         raise Refused(f"the body is no JSON: {str(error)[:100]}") from None
@@ -51,5 +51,5 @@
         elif isinstance(value, bool) or not isinstance(value, int | float):
             raise Refused(f"{name}: a number is needed")
-        elif not rule["low"] <= value <= rule["high"]:
+        elif value < rule["low"] or value > rule["high"]:
             raise Refused(f"{name}: {rule['low']} to {rule['high']} is possible")
     # INSTEAD: ...
@@ -84,6 +84,2 @@
     # INSTEAD: return bundle.minutes(order), ""
     # END SOLUTION
-
-
-def _no_constant(name: str) -> NoReturn:
-    raise ValueError(f"{name} is not JSON")
PATCH
