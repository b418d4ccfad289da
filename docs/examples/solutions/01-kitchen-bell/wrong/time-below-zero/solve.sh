set -eu
sed -i.old 's/max(cooking - passed, 0)/cooking - passed/' bell.py && rm bell.py.old
bash "$(dirname "$0")/../../solve.sh"
