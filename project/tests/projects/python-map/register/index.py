# -*- coding: utf-8 -*-
import json
import os

from qcloud_cos_v5 import CosConfig
from qcloud_cos_v5 import CosS3Client


def store():
    return CosS3Client(CosConfig(
        Region=os.environ["region"], SecretId=os.environ["TENCENTCLOUD_SECRETID"],
        SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
        Token=os.environ["TENCENTCLOUD_SESSIONTOKEN"]))


def main_handler(event, context):
    if "requestContext" not in event or "websocket" not in event:
        return {"errNo": 101, "errMsg": "no websocket"}
    connection = event["websocket"]["secConnectionID"]
    store().put_object(Bucket=os.environ["bucket"], Key=connection, Body=b"1")
    print("registered " + connection)
    reply = {"action": "connecting", "secConnectionID": connection}
    if "secWebSocketProtocol" in event["websocket"]:
        reply["secWebSocketProtocol"] = event["websocket"]["secWebSocketProtocol"]
    return json.loads(json.dumps({"errNo": 0, "errMsg": "ok", "websocket": reply}))
