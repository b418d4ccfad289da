"""Tiffin's promise, served over HTTP."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one order is too little work to share among threads
