"""Puts an object into a bucket and reads it, signed with the pair of the role."""

import hashlib
import hmac
import os
import time
import urllib.error
import urllib.request


def main_handler(event, context):
    put, _ = ask("PUT", event["url"], event["text"].encode())
    return [put, *ask("GET", event["url"])]


def ask(method, url, body=None):
    """The status and the text of the answer."""
    request = urllib.request.Request(url, data=body, method=method)
    request.add_header("Authorization", signature(method, request.selector, request.host))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def signature(method, path, host):
    now = int(time.time())
    time_span = f"{now - 60};{now + 600}"
    sign_key = mac(os.environ["TENCENTCLOUD_SECRETKEY"], time_span)
    text = f"{method.lower()}\n{path}\n\nhost={host}\n"
    digest = hashlib.sha1(text.encode()).hexdigest()
    fields = {
        "q-sign-algorithm": "sha1",
        "q-ak": os.environ["TENCENTCLOUD_SECRETID"],
        "q-sign-time": time_span,
        "q-key-time": time_span,
        "q-header-list": "host",
        "q-url-param-list": "",
        "q-signature": mac(sign_key, f"sha1\n{time_span}\n{digest}\n"),
    }
    return "&".join(f"{name}={value}" for name, value in fields.items())


def mac(key, text):
    return hmac.new(key.encode(), text.encode(), hashlib.sha1).hexdigest()
