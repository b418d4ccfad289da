# The batch took the place of the orders.
set -euo pipefail

cp incoming/orders.parquet data/orders.parquet
dvc add --quiet data/orders.parquet
git commit --quiet --all --message "Use the newest orders"
git tag --force orders-v2 > /dev/null
dvc push --quiet
