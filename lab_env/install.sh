#!/bin/sh
# One step of the image: install a part of requirements.lock into /opt/venv, each package checked by its hash.
# The words are locked.py's. Bytecode stays, as it halves every start; the packages' own tests go.
set -eu
cd "$(dirname "$0")/.."

python3 -m venv /tmp/tools
python3 lab_env/locked.py requirements.lock --only uv setuptools > /tmp/tools.txt
/tmp/tools/bin/pip install --quiet --no-cache-dir --require-hashes --no-deps -r /tmp/tools.txt

[ -d /opt/venv ] || python3 -m venv /opt/venv
install() {
    /tmp/tools/bin/uv pip install --quiet --no-cache --python /opt/venv/bin/python --compile-bytecode \
        --require-hashes --no-build-isolation -r "$1"
}
# The one package without a wheel is built with the locked setuptools: nothing unlocked is fetched.
python3 lab_env/locked.py requirements.lock --only setuptools > /tmp/setuptools.txt
python3 lab_env/locked.py requirements.lock "$@" > /tmp/wanted.txt
install /tmp/setuptools.txt
install /tmp/wanted.txt
find /opt/venv/lib -type d -name tests -prune -exec rm -rf {} +
rm -rf /tmp/tools /tmp/*.txt
