set -eu
rm -rf store/files
