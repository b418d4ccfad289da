set -eu
sed -i.old 's/^Source:.*/Three dishes./' notes.md && rm notes.md.old
bash "$(dirname "$0")/../../solve.sh"
