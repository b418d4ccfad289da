"""What learners do in the boxes of these tests: sound, wrong, greedy and hostile."""

CODE = """
import json, os, signal, subprocess, sys, time

calls = 0

def count():
    global calls
    calls += 1
    return calls

def double(value):
    return value * 2

def where():
    return os.getcwd()

def write(name, text):
    with open(name, "w") as file:
        file.write(text)

def wrong():
    raise ValueError("no such zone")

class Mute(Exception):
    def __str__(self):
        raise RuntimeError("mute")

def mute():
    raise Mute

def pair_key():
    return {(1, 2): 3}

def own():
    return Mute()

def burn():
    while True:
        pass

def burn_on():
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    burn()

def eat():
    return len(bytearray(10**10))

def fill():
    with open("big", "wb") as file:
        for _ in range(64):
            file.write(bytes(2**20))

def shout():
    while True:
        print("x" * 1000)

def child(mark):
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", mark]).pid

def environment():
    return dict(os.environ)

def channel():
    return sys.modules["__main__"].sys._getframe(3).f_locals["self"].channel
"""

FORGE = """
import gc, socket, struct, time, json

def line():
    return next(one for one in gc.get_objects() if isinstance(one, socket.socket))

def send(value):
    text = json.dumps(value).encode()
    line().sendall(struct.pack("!II", len(text), 0) + text)

def another_number():
    send({"$": "dict", "v": [["id", 99], ["value", 5]]})

def no_reply():
    send([1, 2, 3])

def no_value():
    send({"$": "dict", "v": [["id", 1]]})

def garbage():
    line().sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")

def half_a_head():
    line().sendall(b"abc")
    import os
    os._exit(0)

def drip():
    line().sendall(struct.pack("!II", 1000, 0))
    while True:
        line().sendall(b" ")
        time.sleep(0.05)

def closed():
    line().close()

def long_error():
    error = {"$": "dict", "v": [["type", "E"], ["message", "x" * 10**6]]}
    send({"$": "dict", "v": [["id", 1], ["error", error]]})

def error_of_nothing():
    send({"$": "dict", "v": [["id", 1], ["error", 5]]})

def replace_acts():
    import __main__
    agent = next(one for one in gc.get_objects() if isinstance(one, __main__.Agent))
    for act in ("run", "read", "http"):
        agent.acts[act] = lambda **_: 5

def replace_load(answer):
    import __main__
    agent = next(one for one in gc.get_objects() if isinstance(one, __main__.Agent))
    agent.acts["load"] = lambda **_: answer
"""

SERVICE = """
import http.server, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b'{"path": "%s"}' % self.path.encode())

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["content-length"])))

    def answer(self, body):
        self.send_response(200 if self.path != "/none" else 404)
        self.send_header("X-Zone", "7")
        self.end_headers()
        self.wfile.write(body if self.path != "/text" else b"<p>")

    def log_message(self, *_):
        pass

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
# A service that takes a connection and hangs up.
DEAF = """
import socket, sys
door = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    door.accept()[0].close()
"""
# What `forge.replace_load` answers to a load of one body, without commands.
FORGED_LOADS = {
    "no_row": {"replies": [5], "done": []},
    "another_body": {"replies": [[1, 200, b"", 0.1]], "done": []},
    "more_commands": {"replies": [], "done": [{"code": 0}]},
}
