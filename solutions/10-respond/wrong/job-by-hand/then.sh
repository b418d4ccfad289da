#!/usr/bin/env bash
set -euo pipefail
rm dvc.lock
