#!/usr/bin/env bash
set -euo pipefail
sed -i 's/better by/far better by/' gate.json
