def handle(event, context):
    return {"errNo": 0, "errMsg": "ok"}
