#!/usr/bin/env bash
# What is done, not written: the whole lab in one go.
set -euo pipefail

# clean-history: stop keeping the orders, then forget that they ever were there
git rm --quiet --cached data/orders.parquet
git add answers.toml
git commit --quiet --message "Stop keeping the orders in Git"
git filter-repo --quiet --force --invert-paths --path data/orders.parquet --path exports --path spike

# track-orders
dvc add --quiet data/orders.parquet
git add data/.gitignore data/orders.parquet.dvc
git commit --quiet --message "Track the orders with DVC"

# share
echo "/store/" >> .gitignore
dvc remote add --quiet --default store store
git add .gitignore .dvc/config
git commit --quiet --message "Share data through the store"

# keep-versions
python measure.py
git add metrics.json
git commit --quiet --message "Measure the promise on 90 days"
git tag orders-v1
dvc push --quiet

python append.py incoming/orders.parquet
dvc add --quiet data/orders.parquet
python measure.py
git commit --quiet --all --message "Add the monsoon's first 30 days"
git tag orders-v2
dvc push --quiet
