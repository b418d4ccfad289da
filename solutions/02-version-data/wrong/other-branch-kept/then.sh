# main is clean; an old branch still reaches the data.
set -euo pipefail

git switch --quiet --create spike/again
git add --force data/orders.parquet
git commit --quiet --message "Try a model on a sample"
git rm --quiet --cached data/orders.parquet
git commit --quiet --message "Done with it"
git switch --quiet main
