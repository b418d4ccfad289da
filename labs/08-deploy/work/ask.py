"""Send an order to the service on this machine, and print what comes back. Given.

python ask.py                         the order below
python ask.py hour=99 distance_km=    the same with another hour and without a distance
python ask.py '[]'                    this body
python ask.py /readyz                 what another door says
"""

import http.client
import json
import os
import sys
import time

PORT = int(os.environ.get("PORT", "8080"))
PATIENCE_S = 30  # a service that was started a moment ago
ORDER = {
    "order_id": 7,
    "customer": 1204,
    "zone": "hill",
    "distance_km": 2.4,
    "items": 2,
    "hour": 19,
    "weekday": 4,
    "rain_mm": 0,
    "couriers_free": 6,
    "kitchen_queue": 3,
}


def body(words: list[str]) -> str:
    """The order with what the words change; a value that is no JSON is a text."""
    if words and "=" not in words[0]:
        return words[0]
    values = {name: json.dumps(value) for name, value in ORDER.items()}
    for name, _, value in (word.partition("=") for word in words):
        try:
            json.loads(value)
            values[name] = value
        except ValueError:
            values[name] = json.dumps(value) if value else ""
    return "{" + ", ".join(f'"{name}": {value}' for name, value in values.items() if value) + "}"


def answer(path: str, sent: str | None) -> str:
    """Status and text of the answer; waits for a service that is about to start."""
    end = time.monotonic() + PATIENCE_S
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
        try:
            connection.request("GET" if sent is None else "POST", path, sent)
            reply = connection.getresponse()
            return f"{reply.status} {reply.read().decode()}"
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() > end:
                sys.exit(f"No answer on port {PORT} ({error}). Start it: `python -m service --port {PORT}`.")
            time.sleep(0.2)
        finally:
            connection.close()


words = sys.argv[1:]
if words and words[0].startswith("/"):
    print(answer(words[0], None))
else:
    print(answer("/predict", body(words)))
