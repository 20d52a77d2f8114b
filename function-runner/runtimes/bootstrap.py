"""Runs a Python function: loads the handler once, then hands it one event after the other.

Given to the interpreter as text. The standard library is all it needs. Whoever loads slowly pays
once: what a module keeps in its globals is there for the next event.
"""

import http.client
import importlib
import importlib.abc
import importlib.util
import json
import os
import sys
import traceback

# What the runner puts into every environment; the rest is the user's own.
OURS = {"PATH", "HOME", "LANG", "LC_CTYPE", "SCF_RUNTIME", "SCF_FUNCTIONNAME",
        "SCF_FUNCTIONVERSION", "SCF_RUNTIME_API", "SCF_RUNTIME_API_PORT", "_HANDLER",
        "USER_CODE_ROOT", "TENCENTCLOUD_RUNENV", "TENCENTCLOUD_REGION", "TENCENTCLOUD_APPID",
        "TENCENTCLOUD_UIN"}


class CosAlias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The cloud's image has the package qcloud_cos under the name qcloud_cos_v5 as well."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "qcloud_cos_v5":
            return importlib.util.spec_from_loader(name, self)
        return None

    def create_module(self, spec):
        try:
            return importlib.import_module(spec.name.replace("qcloud_cos_v5", "qcloud_cos", 1))
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"{error}: install the package cos-python-sdk-v5 into the folder vendor") from error

    def exec_module(self, module):
        pass


class Api:
    """The runtime API, over one connection that stays open."""

    def __init__(self):
        port = int(os.environ["SCF_RUNTIME_API_PORT"])
        self.connection = http.client.HTTPConnection(os.environ["SCF_RUNTIME_API"], port)
        # Taken out, so that no program of the function inherits it.
        self.secret = os.environ.pop("LONGHOLD_SECRET")

    def call(self, method, path, body=None, headers=()):
        headers = {**dict(headers), "longhold-secret": self.secret}
        self.connection.request(method, "/runtime/" + path, body, headers)
        response = self.connection.getresponse()
        return response, response.read()

    def fail(self, path, status, error, headers=()):
        kind = describe(lambda: type(error).__name__) or "an error without a name"
        message = describe(lambda: str(error)) or describe(lambda: repr(error)) or ""
        report = {"statusCode": status, "errorType": kind, "errorMessage": cut(message, 8192),
                  "stackTrace": describe(lambda: trace_of(error)) or f"{kind}: {message}"}
        self.call("POST", path, json.dumps(report).encode(), headers)


def describe(make):
    """The text that `make` returns, bounded. None if it fails: it may run code of the function."""
    try:
        return cut(make())
    except BaseException:
        return None


def cut(text, longest=60 * 1024):
    # Halves of surrogate pairs are no JSON for others.
    text = text.encode("utf-8", "backslashreplace").decode()
    left, half = len(text) - longest, longest // 2
    note = f"\n… {left} more characters …\n"
    return text[:half] + note + text[-half:] if left > 0 else text


def trace_of(error):
    """The traceback, with causes and groups, and without our own frame."""
    trace = error.__traceback__ and error.__traceback__.tb_next
    return "".join(traceback.format_exception(type(error), error, trace))


def load():
    root = os.environ["USER_CODE_ROOT"]
    folders = [os.path.join(root, name) for name in ("", "vendor", "layer", "layer/python")]
    sys.path[:] = [os.path.normpath(f) for f in folders] + [p for p in sys.path if p]
    sys.meta_path.append(CosAlias())
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    return getattr(importlib.import_module(module.replace("/", ".")), name, None), module, name


def static_context():
    env = os.environ
    own = {"SCF_NAMESPACE": "default", **{k: v for k, v in env.items() if k not in OURS}}
    return {
        "environment": json.dumps(own), "environ": ";".join(f"{k}={v}" for k, v in own.items()),
        "function_version": env["SCF_FUNCTIONVERSION"], "function_name": env["SCF_FUNCTIONNAME"],
        "namespace": "default", "tencentcloud_region": env["TENCENTCLOUD_REGION"],
        "tencentcloud_appid": env["TENCENTCLOUD_APPID"],
        "tencentcloud_uin": env["TENCENTCLOUD_UIN"]}


def invoke(handler, body, context):
    return json.dumps(handler(json.loads(body), context), ensure_ascii=False).encode()


def main():
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    api = Api()
    try:
        handler, module, name = load()
    except BaseException as error:
        api.fail("init/error", 443, error)
        return 1
    if not callable(handler):
        error = AttributeError(f"module {module} has no function {name}")
        api.fail("init/error", 437, error)
        return 1
    api.call("POST", "init/ready", b"")
    always = static_context()
    while True:
        response, body = api.call("GET", "invocation/next")
        if response.status != 200:
            return 0
        request_id = response.headers["request_id"]
        context = {
            "memory_limit_in_mb": int(response.headers["memory_limit_in_mb"]),
            "time_limit_in_ms": int(response.headers["time_limit_in_ms"]),
            "request_id": request_id, **always}
        headers = {"request_id": request_id}
        try:
            reply = invoke(handler, body, context)
        except BaseException as error:
            sys.stdout.flush()
            api.fail("invocation/error", 430, error, headers)
            if isinstance(error, SystemExit):
                # As the function wants it. No event is in hand.
                return error.code
            continue
        # A line without its end must not be told to the next request.
        sys.stdout.flush()
        api.call("POST", "invocation/response", reply, headers)


if __name__ == "__main__":
    try:
        code = main()
    except (ConnectionError, http.client.HTTPException):
        # The runner has gone, or is done with this process.
        os._exit(0)
    sys.exit(code)
