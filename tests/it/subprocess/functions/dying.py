"""Replies to the sender of a message, and ends its process at random after a reply, but never while
it has an event."""

import http.client
import os
import random
import select
import threading
import time

lock = threading.Lock()
has_event = True
ask = http.client.HTTPConnection.request
receive = http.client.HTTPConnection.getresponse


def request(connection, method, path, *rest):
    global has_event
    if path.endswith("/next"):
        with lock:
            has_event = False
    ask(connection, method, path, *rest)


def getresponse(connection):
    global has_event
    select.select([connection.sock], [], [])
    with lock:
        has_event = True
        return receive(connection)


http.client.HTTPConnection.request = request
http.client.HTTPConnection.getresponse = getresponse


def end():
    while True:
        time.sleep(random.uniform(0, 0.001))
        with lock:
            if not has_event:
                os._exit(7)


def main_handler(event, context):
    if random.random() < 0.02:
        threading.Thread(target=end).start()
    websocket = event["websocket"]
    return {"websocket": {
        "action": "data send", "secConnectionID": websocket["secConnectionID"],
        "dataType": "text", "data": f"{os.getpid()} {websocket['data']}"}}
