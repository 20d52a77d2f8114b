"""Register and cleanup of the API that the client libraries connect to. Each call becomes a line of a file."""

import json
import os


def register(event, context):
    query = event["queryString"]
    record({"job": query["job"], "connection": event["websocket"]["secConnectionID"]})
    if query["register"] == "refuses":
        return {"errNo": 1, "errMsg": "not you"}
    if query["register"] == "chooses":
        offers = event["websocket"]["secWebSocketProtocol"].split(",")
        return {"errNo": 0, "websocket": {"secWebSocketProtocol": offers[-1].strip()}}
    return {"errNo": 0}


def cleanup(event, context):
    ended = event["websocket"]
    told = " ".join(ended[key] for key in ("closeReason", "closeCode") if key in ended)
    record({"connection": ended["secConnectionID"], "told": told})


def record(line):
    # One write with O_APPEND, since several processes write into the file.
    file = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, json.dumps(line).encode() + b"\n")
    finally:
        os.close(file)
