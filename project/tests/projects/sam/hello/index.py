import os


def main_handler(event, context):
    return "hello " + os.environ["NAME"]
