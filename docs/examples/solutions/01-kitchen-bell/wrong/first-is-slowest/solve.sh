set -eu
sed -i.old 's/slowest = .*/slowest = dishes[0]["dish"]/' bell.py && rm bell.py.old
bash "$(dirname "$0")/../../solve.sh"
