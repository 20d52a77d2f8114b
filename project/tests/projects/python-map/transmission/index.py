# -*- coding: utf-8 -*-
import json
import os

import requests
from qcloud_cos_v5 import CosConfig
from qcloud_cos_v5 import CosS3Client


def store():
    return CosS3Client(CosConfig(
        Region=os.environ["region"], SecretId=os.environ["TENCENTCLOUD_SECRETID"],
        SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
        Token=os.environ["TENCENTCLOUD_SESSIONTOKEN"]))


def connections():
    listed = store().list_objects(Bucket=os.environ["bucket"])
    return [found["Key"] for found in listed.get("Contents", [])]


def send(connection, data):
    message = {"websocket": {"action": "data send", "secConnectionID": connection,
                             "dataType": "text", "data": data}}
    response = requests.post(os.environ["url"], json=message, timeout=3)
    print("sent to", connection, response.text)


def main_handler(event, context):
    if "websocket" not in event:
        return "no websocket"
    sender = event["websocket"]["secConnectionID"]
    for connection in connections():
        if connection != sender:
            send(connection, event["websocket"]["data"])
    return json.dumps({"errNo": 0, "errMsg": "ok"})
