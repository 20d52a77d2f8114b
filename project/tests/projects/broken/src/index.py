def main_handler(event, context):
    return {"errNo": 0}
