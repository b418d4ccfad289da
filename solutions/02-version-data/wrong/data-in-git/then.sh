# The ignored file was forced into Git, "so that it is backed up".
set -euo pipefail

git add --force data/orders.parquet
git commit --quiet --message "Back up the orders"
