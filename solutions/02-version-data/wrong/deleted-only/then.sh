# Committed by accident and deleted in the next commit: still in history.
set -euo pipefail

git add --force data/orders.parquet
git commit --quiet --message "Add everything"
git rm --quiet --cached data/orders.parquet
git commit --quiet --message "Oops, remove the orders again"
