set -eu
git tag --delete v1
