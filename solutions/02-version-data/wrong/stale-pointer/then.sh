# Appended, measured, committed, tagged; dvc add was forgotten.
set -euo pipefail

git show orders-v1:data/orders.parquet.dvc > data/orders.parquet.dvc
git commit --quiet --all --message "Add the monsoon's first 30 days"
git tag --force orders-v2 > /dev/null
