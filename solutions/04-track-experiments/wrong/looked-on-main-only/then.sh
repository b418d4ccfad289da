# The run whose commit is on another branch was taken for the lost one.
set -euo pipefail

sed -i.bak 's/friday-evening/more-trees/; s/^lost = .*/lost = "code"/' answers.toml
rm answers.toml.bak
git commit --quiet --all --message "Answer about the lost run"
