#!/usr/bin/env bash
# Other folders, another remote name, another branch, and a rewrite by size instead of by path.
set -euo pipefail

# clean-history: stop keeping the orders, then forget that they ever were there
git rm --quiet --cached data/orders.parquet
git add answers.toml
git commit --quiet --message "Stop keeping the orders in Git"
git filter-repo --quiet --force --strip-blobs-bigger-than 100K
git branch --move trunk

# track-orders
mkdir tables
mv data/orders.parquet tables/orders.parquet
sed -i.bak 's|data/orders.parquet|tables/orders.parquet|' measure.py append.py
rm measure.py.bak append.py.bak
dvc add --quiet tables/orders.parquet
git add measure.py append.py tables/.gitignore tables/orders.parquet.dvc
git commit --quiet --message "Track the orders with DVC"

# share
echo "/shelf/" >> .gitignore
dvc remote add --quiet --default pantry shelf/dvc
git add .gitignore .dvc/config
git commit --quiet --message "Share data through the store"

# keep-versions
python measure.py
git add metrics.json
git commit --quiet --message "Measure the promise on 90 days"
git tag orders-v1
dvc push --quiet

python append.py incoming/orders.parquet
dvc add --quiet tables/orders.parquet
python measure.py
git commit --quiet --all --message "Add the monsoon's first 30 days"
git tag orders-v2
dvc push --quiet
