import json
import os
import urllib.request

from qcloud_cos_v5 import CosConfig, CosS3Client


def store():
    return CosS3Client(CosConfig(
        Region=os.environ["REGION"], SecretId=os.environ["TENCENTCLOUD_SECRETID"],
        SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
        Token=os.environ["TENCENTCLOUD_SESSIONTOKEN"]))


def send(connection, data):
    body = json.dumps({"websocket": {"action": "data send", "secConnectionID": connection,
                                     "dataType": "text", "data": data}}).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(os.environ["PUSH"], body, headers)) as answer:
        print("sent to", connection, answer.read().decode())


def main(event, context):
    websocket = event["websocket"]
    listed = store().list_objects(Bucket=os.environ["BUCKET"])
    for found in listed.get("Contents", []):
        if found["Key"] != websocket["secConnectionID"]:
            send(found["Key"], websocket["data"])
    return {"errNo": 0, "errMsg": "ok"}
