#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/Dockerfile
+++ b/Dockerfile
@@ -9,8 +9,5 @@
 RUN pip install --no-cache-dir \
     fastapi==0.165.0 numpy==2.4.6 scikit-learn==1.9.1 skops==0.16.0 uvicorn==0.54.0
-COPY features.py ./
-COPY service ./service
-COPY bundles ./bundles
-COPY release.json ./
+COPY . .
 RUN useradd --uid 10001 --create-home promise && mkdir log && chown promise log
 USER 10001
PATCH
