#!/usr/bin/env bash
set -euo pipefail
sed -i 's/kind = "inputs"/kind = "relation"/; s/act = "wait"/act = "retrain"/' diagnosis.toml
