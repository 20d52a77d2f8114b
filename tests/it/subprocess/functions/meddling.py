"""Replaces what programs of others replace: mocks, false clocks, other kinds of sockets."""

import http.client
import importlib
import json
import os
import socket
import time
import traceback


def broken(*_, **__):
    raise RuntimeError("this was replaced")


class Broken(socket.socket):
    def __init__(self, *_, **__):
        broken()


def replace(module, *names):
    for name in names:
        setattr(module, name, broken)


# Whoever waits for an event would be late at once.
socket.setdefaulttimeout(0.000001)
replace(http.client.HTTPConnection, "request", "getresponse", "connect", "send")
replace(socket.socket, "connect", "sendall", "recv", "recv_into", "makefile")
replace(socket, "create_connection", "getaddrinfo")
socket.socket = Broken
replace(json, "dumps", "loads")
replace(time, "time", "sleep", "strftime", "gmtime")
replace(traceback, "format_exception", "format_tb")
replace(os, "_exit", "getpid", "write")
replace(importlib, "import_module")
os.environ.clear()


def main_handler(event, context):
    if event == "fail":
        raise ValueError("no luck")
    return event
