#!/usr/bin/env bash
set -euo pipefail
git apply <<'PATCH'
--- a/release.py
+++ b/release.py
@@ -68,5 +68,5 @@
         sys.exit(f"There is no {BUNDLES / version}/bundle.json. `python release.py build ALIAS` writes it.")
     release = read()
-    write(release | {"champion": version, "previous": release.get("champion"), "canary": None})
+    write(release | {"champion": version, "features_of": version, "previous": release.get("champion"), "canary": None})
 
 
@@ -78,4 +78,5 @@
         sys.exit("release.json names no previous version. Deploy the one that you want.")
     champion, previous = release["champion"], release["previous"]
+    release.setdefault("features_of", champion)
     write(release | {"champion": previous, "previous": champion, "canary": None})
     # INSTEAD: raise NotImplementedError("Swap champion and previous; no canary goes on after that.")
--- a/service/bundle.py
+++ b/service/bundle.py
@@ -46,5 +46,5 @@
 
 
-def load(version: str, folder: Path = Path("bundles")) -> Bundle:
+def load(version: str, folder: Path = Path("bundles"), features_of: str = "") -> Bundle:
     """Read a version's bundle and ask it once.
 
@@ -53,5 +53,5 @@
     """
     try:
-        told = json.loads((folder / version / "bundle.json").read_text())
+        told = json.loads((folder / (features_of or version) / "bundle.json").read_text())
         model = skops.io.load(folder / version / "model.skops", trusted=TRUSTED)
         bundle = Bundle(
--- a/service/shelf.py
+++ b/service/shelf.py
@@ -59,4 +59,4 @@
         canary = (release.get("canary") or {}).get("version")
         names = {release["champion"], canary, release.get("shadow")} - {None}
-        have = self.served.bundles if self.served else {}
-        return {name: have.get(name) or load(name) for name in names}
+        of = str(release.get("features_of", ""))
+        return {name: load(name, features_of=of if name == release["champion"] else "") for name in names}
PATCH
