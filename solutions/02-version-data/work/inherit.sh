#!/usr/bin/env bash
# Made the repository that you inherit. `lab start` ran it once; there is no need to run it again.
set -euo pipefail

if [ -e .dvc ]; then
    echo "inherit.sh: this repository has its history already. Nothing changed." >&2
    exit 1
fi

export GIT_AUTHOR_NAME="Mara Lind" GIT_AUTHOR_EMAIL="mara@tiffin.example"
export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

commit() { # date, message
    GIT_AUTHOR_DATE="$1T09:00:00Z" GIT_COMMITTER_DATE="$1T09:00:00Z" \
        git commit --quiet --no-gpg-sign --message "$2"
}

# The orders as they were earlier, and the export that somebody asked for.
python - <<'PYTHON'
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

orders = pq.read_table("data/orders.parquet")
for name in ("exports", "spike", ".earlier"):
    Path(name).mkdir()
pq.write_table(orders.filter(pc.less(orders["day"], 76)), ".earlier/orders.parquet")
pq.write_table(orders.filter(pc.greater_equal(orders["day"], 12)), "spike/sample.parquet")
pyarrow.csv.write_csv(orders.filter(pc.less(orders["day"], 35)), "exports/finance.csv")
PYTHON
mv data/orders.parquet .earlier/quarter.parquet

mv .earlier/orders.parquet data/orders.parquet
git add data/orders.parquet
commit 2026-03-23 "Add the orders"

git add exports
commit 2026-03-26 "Export the first five weeks for finance"

mv .earlier/quarter.parquet data/orders.parquet
rmdir .earlier
git add data/orders.parquet
commit 2026-04-06 "Update the orders"

git switch --quiet --create spike/sample
git add spike
commit 2026-04-07 "Try a model on a sample"
git switch --quiet -

git rm --quiet -r exports
commit 2026-04-07 "Delete the export, cloning takes forever"

cat > data/zones.csv <<'CSV'
zone,restaurants,area_km2
centre,148,2.9
harbour,61,4.4
hill,39,6.8
market,117,2.2
river,72,5.1
station,94,3.0
CSV
dvc init --quiet
printf '[core]\n    analytics = false\n' > .dvc/config
dvc add --quiet data/zones.csv
git add .dvc .dvcignore data/.gitignore data/zones.csv.dvc
commit 2026-04-08 "Track the zones with DVC"
