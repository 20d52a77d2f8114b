# Has no syntax that is newer than Python 3.6.
import asyncio
import json
import logging
import os
import ssl
import sys
import urllib.request

import certifi

count = 0


def echo(event, context):
    return event


def log(event, context):
    print("printed", event["text"])
    sys.stderr.write("written " + event["text"] + "\n")
    logging.info("logged %s", event["text"])


def add(event, context):
    global count
    count += 1
    return count


def fail(event, context):
    try:
        raise KeyError("the cause")
    except KeyError as error:
        raise ValueError("no luck") from error


def post(url, body):
    with urllib.request.urlopen(urllib.request.Request(url, body.encode()), timeout=20) as answer:
        return [answer.status, json.loads(answer.read().decode())]


def push(event, context):
    return post(os.environ["url"], event["text"])


def ask(event, context):
    return post(event["url"], event["text"])


def eat(event, context):
    hoard = []
    while True:
        hoard.append(bytearray(1 << 20))


def ask_by_asyncio(event, context):
    """Over a connection of asyncio, with its own look-up."""

    async def exchange():
        host, trusts = event["host"], ssl.create_default_context()
        reader, writer = await asyncio.open_connection(host, 443, ssl=trusts)
        writer.write(("GET / HTTP/1.0\r\nhost: " + host + "\r\n\r\n").encode())
        line = await reader.readline()
        writer.close()
        return line.decode().split()[1]

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(exchange())
    finally:
        loop.close()


def tell(event, context):
    """What the interpreter is, and what nothing of the runner may be left in."""
    hidden = [key for key in os.environ if "LONGHOLD" in key or key == "PYTHONSAFEPATH"]
    return {"version": "%d.%d" % sys.version_info[:2], "arguments": sys.argv, "hidden": hidden,
            "certifi": certifi.where() == certifi.core.where() == os.environ["SSL_CERT_FILE"],
            "first": [os.path.basename(folder) for folder in sys.path[:2]],
            "remaining": context["time_limit_in_ms"]}


def main_handler(event, context):
    return globals()[event["do"]](event, context)
