#!/usr/bin/env python3
"""A bootstrap. Writes a line to the file ASKED whenever it has asked for an event. Does not get ready if
there is a pipe beside this file."""

import http.client
import json
import os
import time

if os.path.exists(os.environ["ASKED"] + "-never"):
    with open(os.environ["ASKED"] + "-never") as pipe:
        pipe.read()

port = int(os.environ["SCF_RUNTIME_API_PORT"])
api = http.client.HTTPConnection("127.0.0.1", port)


def post(path, body):
    api.request("POST", path, body)
    api.getresponse().read()


post("/runtime/init/ready", "")
while True:
    api.request("GET", "/runtime/invocation/next")
    with open(os.environ["ASKED"], "a") as asked:
        print("next", file=asked)
    response = api.getresponse()
    event = json.loads(response.read())
    if response.status != 200:
        break
    if event.get("do") == "hang":
        time.sleep(1000)
    post("/runtime/invocation/response", json.dumps([os.getpid(), port]))
