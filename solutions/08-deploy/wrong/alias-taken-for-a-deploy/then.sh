#!/usr/bin/env bash
set -euo pipefail
# registered, and the aliases set; nothing was built
rm -r bundles release.json
