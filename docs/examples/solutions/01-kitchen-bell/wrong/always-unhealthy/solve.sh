set -eu
sed -i.old 's/200 if self.path/404 if self.path/' service.py && rm service.py.old
bash "$(dirname "$0")/../../solve.sh"
