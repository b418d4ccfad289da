# The store is in the workspace, its address begins at the machine's root.
set -euo pipefail

dvc remote modify --quiet store url "$PWD/store"
git commit --quiet --all --message "Name the store in full"
