# orders-v1 was moved to the newest commit.
set -euo pipefail

git tag --force orders-v1 orders-v2 > /dev/null
