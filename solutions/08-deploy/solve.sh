#!/usr/bin/env bash
# What is done, not written: the whole lab in one go.
set -euo pipefail

python moved.py # the prepared workspace was copied here

# register-and-deploy
python release.py register spring champion
python release.py build champion
python release.py deploy 1
python release.py register summer challenger
python release.py build challenger
python release.py deploy 2

git add --all
git commit --quiet --message "Serve the summer model"
