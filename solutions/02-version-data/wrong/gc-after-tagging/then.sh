# "Clean up" keeps what the working tree names; the other tag's data is gone.
set -euo pipefail

dvc gc --quiet --workspace --cloud --force
