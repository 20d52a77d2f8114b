import os

from qcloud_cos_v5 import CosConfig, CosS3Client


def store():
    return CosS3Client(CosConfig(
        Region=os.environ["REGION"], SecretId=os.environ["TENCENTCLOUD_SECRETID"],
        SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
        Token=os.environ["TENCENTCLOUD_SESSIONTOKEN"]))


def main(event, context):
    websocket = event["websocket"]
    store().put_object(Bucket=os.environ["BUCKET"], Key=websocket["secConnectionID"], Body=b"1")
    return {"errNo": 0, "errMsg": "ok", "websocket": {
        "action": "connecting", "secConnectionID": websocket["secConnectionID"]}}
