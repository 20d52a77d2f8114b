"""The chat as three handlers: a message of one client is sent to all others."""

import json
import os
import urllib.request
from pathlib import Path

# One file for each open connection. The functions run in different processes, so shared data must be
# outside of them: here in a folder, in production in an object store.
ROSTER = Path(os.environ["ROSTER"])
ROSTER.mkdir(parents=True, exist_ok=True)


def push(websocket):
    body = json.dumps({"websocket": websocket}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["url"], body, headers)
    with urllib.request.urlopen(request, timeout=2) as response:
        return json.load(response)


def register(event, context):
    websocket = event["websocket"]
    connection_id = websocket["secConnectionID"]
    (ROSTER / connection_id).touch()
    # The page asks for this. The gateway holds the message until the connection is open.
    if "online" in event.get("queryString", {}):
        count = sum(1 for _ in ROSTER.iterdir())
        try:
            push({"action": "data send", "secConnectionID": connection_id,
                  "dataType": "text", "data": f"(===Online people:{count}===)"})
        except OSError as error:
            print("number of people not sent", error)
    reply = {"action": "connecting", "secConnectionID": connection_id}
    offered = websocket.get("secWebSocketProtocol", "").split(",")[0].strip()
    if offered:
        reply["secWebSocketProtocol"] = offered
    return {"errNo": 0, "errMsg": "ok", "websocket": reply}


def transmit(event, context):
    websocket = event["websocket"]
    online = [entry.name for entry in ROSTER.iterdir()]
    others = [entry for entry in online if entry != websocket["secConnectionID"]]
    data = websocket["data"]
    if websocket["dataType"] == "text":
        data = f"{data}(===Online people:{len(online)}===)"
    if others:
        answer = push({"action": "data send", "secConnectionIDs": others,
                       "dataType": websocket["dataType"], "data": data})
        for failed in answer.get("failed", []):
            print("not delivered", failed)
            if failed["errNo"] == 410:
                (ROSTER / failed["secConnectionID"]).unlink(missing_ok=True)
    return {"errNo": 0, "errMsg": "ok"}


def cleanup(event, context):
    (ROSTER / event["websocket"]["secConnectionID"]).unlink(missing_ok=True)
    return {"errNo": 0, "errMsg": "ok"}
