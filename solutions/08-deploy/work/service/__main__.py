"""Start the service: `python -m service --port 8080`. Given."""

import argparse

import uvicorn

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=8080)
uvicorn.run("service.app:app", port=parser.parse_args().port, log_level="warning", access_log=False)
