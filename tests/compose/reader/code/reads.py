"""Tries to read files. Returns what was wrong with each, or nothing for one that it could read."""


def main_handler(event, context):
    return {path: problem(path) for path in event["paths"]}


def problem(path):
    try:
        with open(path) as file:
            file.read()
    except OSError as error:
        return type(error).__name__
