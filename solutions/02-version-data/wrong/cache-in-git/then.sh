# DVC's cache was committed, so that a clone has the data at once.
set -euo pipefail

git add --force .dvc/cache
git commit --quiet --message "Ship the cache"
