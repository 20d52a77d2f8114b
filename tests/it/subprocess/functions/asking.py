"""Writes a line to the file ASKED whenever it has asked for an event. Does not get ready if there is a
pipe beside this file."""

import http.client
import os
import time

if os.path.exists(os.environ["ASKED"] + "-never"):
    with open(os.environ["ASKED"] + "-never") as pipe:
        pipe.read()

ask = http.client.HTTPConnection.request


def request(connection, method, path, *rest):
    ask(connection, method, path, *rest)
    if path.endswith("/next"):
        with open(os.environ["ASKED"], "a") as asked:
            print(path, file=asked)


http.client.HTTPConnection.request = request


def main_handler(event, context):
    if event.get("do") == "hang":
        time.sleep(1000)
    return [os.getpid(), int(os.environ["SCF_RUNTIME_API_PORT"])]
