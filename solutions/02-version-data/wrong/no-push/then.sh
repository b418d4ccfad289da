# Pointers committed and tagged, nothing ever pushed: there is no store.
set -euo pipefail

rm -rf store
