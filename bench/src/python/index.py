"""The measured functions in Python."""

import http.client
import json
import os
from urllib.parse import urlsplit

PUSH = urlsplit(os.environ["url"])
# The connection is kept from call to call, as a function should do.
gateway = http.client.HTTPConnection(PUSH.netloc, timeout=2)


def echo(event, context):
    """Pushes a message back to its sender."""
    websocket = event["websocket"]
    push = {
        "action": "data send",
        "secConnectionID": websocket["secConnectionID"],
        "dataType": websocket["dataType"],
        "data": websocket["data"],
    }
    body = json.dumps({"websocket": push}).encode()
    gateway.request("POST", PUSH.path, body, {"Content-Type": "application/json"})
    return json.load(gateway.getresponse())


def empty(event, context):
    """Does nothing, so that only the cost of the call is measured."""
    return None
