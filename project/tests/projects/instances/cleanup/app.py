import os

from qcloud_cos_v5 import CosConfig, CosS3Client


def main(event, context):
    store = CosS3Client(CosConfig(
        Region=os.environ["REGION"], SecretId=os.environ["TENCENTCLOUD_SECRETID"],
        SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
        Token=os.environ["TENCENTCLOUD_SESSIONTOKEN"]))
    store.delete_object(Bucket=os.environ["BUCKET"], Key=event["websocket"]["secConnectionID"])
    return {"errNo": 0, "errMsg": "ok"}
