"""Start the service: `python -m service --port 8080`. Given."""

import argparse

import uvicorn

parser = argparse.ArgumentParser()
parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container: all networks")
parser.add_argument("--port", type=int, default=8080)
told = parser.parse_args()
uvicorn.run("service.app:app", host=told.host, port=told.port, log_level="warning", access_log=False)
