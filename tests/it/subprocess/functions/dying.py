#!/usr/bin/env python3
"""A bootstrap. Replies to the sender of a message, and ends its process at random after a reply, but
never while it has an event."""

import http.client
import json
import os
import random
import select
import threading
import time

lock = threading.Lock()
has_event = False
api = http.client.HTTPConnection("127.0.0.1", int(os.environ["SCF_RUNTIME_API_PORT"]))


def end():
    while True:
        time.sleep(random.uniform(0, 0.001))
        with lock:
            if not has_event:
                os._exit(7)


def reply(event):
    if random.random() < 0.02:
        threading.Thread(target=end).start()
    websocket = event["websocket"]
    return {"websocket": {
        "action": "data send", "secConnectionID": websocket["secConnectionID"],
        "dataType": "text", "data": f"{os.getpid()} {websocket['data']}"}}


while True:
    api.request("GET", "/runtime/invocation/next")
    select.select([api.sock], [], [])
    with lock:
        has_event = True
        response = api.getresponse()
        event = json.loads(response.read())
    if response.status != 200:
        break
    api.request("POST", "/runtime/invocation/response", json.dumps(reply(event)))
    api.getresponse().read()
    with lock:
        has_event = False
