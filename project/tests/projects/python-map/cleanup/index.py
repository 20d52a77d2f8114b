# -*- coding: utf-8 -*-
import os

from qcloud_cos_v5 import CosConfig
from qcloud_cos_v5 import CosS3Client


def store():
    return CosS3Client(CosConfig(
        Region=os.environ["region"], SecretId=os.environ["TENCENTCLOUD_SECRETID"],
        SecretKey=os.environ["TENCENTCLOUD_SECRETKEY"],
        Token=os.environ["TENCENTCLOUD_SESSIONTOKEN"]))


def main_handler(event, context):
    connection = event["websocket"]["secConnectionID"]
    store().delete_object(Bucket=os.environ["bucket"], Key=connection)
    print("cleaned up " + connection)
    return {"errNo": 0, "errMsg": "ok"}
