"""Runs a Python function: loads the handler once, then hands it one event after the other.

Given to the interpreter as text, and run by launch.py. The standard library is all it needs.
Whoever loads slowly pays once: what a module keeps in its globals is there for the next event.

Runs on Python 3.6 and newer, so it has no newer syntax.
"""

import sys

# Until all is imported, only the standard library is in the path: neither the folder of the code nor
# a PYTHONPATH of the function may have a module of the same name.
loaded_before = set(sys.modules) - {"linecache"}
usual_path = [folder for folder in sys.path if folder]
sys.path[:] = usual_path
import os

# Set by the runner, so that the interpreter itself does not import from the working folder.
if os.environ.get("PYTHONSAFEPATH") == "longhold":
    del os.environ["PYTHONSAFEPATH"]
leave, process_id, write = os._exit, os.getpid, os.write
library = os.path.dirname(os.__file__)
sys.path[:] = [f for f in usual_path if f == library or f.endswith("/lib-dynload")] or usual_path
names_text = os.environ.pop("LONGHOLD_NAMES", None)
if names_text:
    import socket as whole_socket
import codecs
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import logging
from _socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, socket
from atexit import _run_exitfuncs as run_exit_functions
from io import TextIOWrapper
from json import dumps, loads
from time import gmtime, strftime
from traceback import format_exception, format_tb

# The traceback of an error is made from so many characters at most. There may be any number of errors
# in it, each as often as it is reached. Each counts as so much at least.
TRACED_MAX, ERROR_LEAST = 1 << 20, 1 << 10

# What is imported only when it is needed. A line of a source file needs the most.
linecache.getline(os.__file__, 1)
linecache.clearcache()
format_exception(ValueError, ValueError(), None)
loaded_here = set(sys.modules) - loaded_before
# Those of them in whose place the function has modules of its own.
given_way = {}
sys.path[:] = usual_path

# What the runner puts into every environment; the rest is the user's own.
OURS = {"PATH", "HOME", "LANG", "LC_CTYPE", "SCF_RUNTIME", "SCF_FUNCTIONNAME",
        "SCF_FUNCTIONVERSION", "SCF_RUNTIME_API", "SCF_RUNTIME_API_PORT", "_HANDLER",
        "USER_CODE_ROOT", "TENCENTCLOUD_RUNENV", "TENCENTCLOUD_REGION", "TENCENTCLOUD_APPID",
        "TENCENTCLOUD_UIN", "TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY",
        "TENCENTCLOUD_SESSIONTOKEN", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
        "NO_PROXY"}


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


class RunnerGone(BaseException):
    """The runner has gone, or is done with this process."""


class Api:
    """The runtime API, over one connection that stays open. Nothing is shared with the HTTP clients
    of the function, so nothing that is done to them matters here."""

    def __init__(self, environment):
        self.address = environment["SCF_RUNTIME_API"], int(environment["SCF_RUNTIME_API_PORT"])
        self.secret = environment["LONGHOLD_SECRET"]
        self.socket = None

    def call(self, method, path, body=b"", request_id=None):
        own = f"request_id: {request_id}\r\n" if request_id else ""
        head = (f"{method} /runtime/{path} HTTP/1.1\r\nhost: {self.address[0]}\r\n{own}"
                f"longhold-secret: {self.secret}\r\ncontent-length: {len(body)}\r\n\r\n")
        try:
            # Not earlier: a process that the code leaves behind when it is loaded must not hold it.
            if self.socket is None:
                self.socket = socket(AF_INET, SOCK_STREAM)
                self.socket.settimeout(None)
                self.socket.connect(self.address)
                self.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            self.socket.sendall(head.encode() + body)
            return self.answer()
        except ConnectionError as error:
            raise RunnerGone from error

    def answer(self):
        """The status, the headers and the body. The runner says the length of each body."""
        received = bytearray()
        while b"\r\n\r\n" not in received:
            received += self.receive(1 << 16)
        end = received.index(b"\r\n\r\n")
        status, *lines = received[:end].decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers["content-length"])
        body = received[end + 4:]
        while len(body) < length:
            body += self.receive(min(length - len(body), 1 << 20))
        return int(status.split()[1]), headers, body

    def receive(self, longest):
        part = self.socket.recv(longest)
        if not part:
            raise RunnerGone
        return part

    def fail(self, path, status, error, request_id=None):
        kind = describe(lambda: type(error).__name__) or "an error without a name"
        message = describe(lambda: str(error)) or describe(lambda: repr(error)) or ""
        report = {"statusCode": status, "errorType": kind, "errorMessage": cut(message, 8192),
                  "stackTrace": describe(lambda: trace_of(error)) or f"{kind}: {message}"}
        self.call("POST", path, dumps(report).encode(), request_id)


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
    note = f"\n\u2026 {left} more characters \u2026\n"
    return text[:half] + note + text[-half:] if left > 0 else text


def trace_of(error):
    """The traceback, with causes and groups if they are not too much, and without our own frames."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_globals is globals():
        trace = trace.tb_next
    # Newer versions of Python import modules while they do this.
    modules = {name: sys.modules.get(name) for name in given_way}
    sys.modules.update(given_way)
    try:
        if is_short(error):
            return "".join(format_exception(type(error), error, trace))
        head = "Traceback (most recent call last):\n"
        return f"{head}{''.join(format_tb(trace))}{type(error).__name__}: {error}\n"
    finally:
        for name, module in modules.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


def is_short(error):
    """Whether an error, with its causes and the errors of groups, has a description of a bounded
    length."""
    length, left, seen = 0, [error], set()
    while left and length <= TRACED_MAX:
        each = left.pop()
        length += ERROR_LEAST + length_of(each)
        # Those of these that are known are left out of a traceback, but not those of a group.
        before = [e for e in (each.__cause__, each.__context__) if e and id(e) not in seen]
        seen.update(map(id, before))
        parts = getattr(each, "exceptions", ())
        left += before + ([*parts] if isinstance(parts, (list, tuple)) else [])
    return length <= TRACED_MAX


def length_of(error):
    try:
        return len(str(error))
    except BaseException:
        return 0


class LogLines(logging.Formatter):
    """Level, time and request id, and then the message."""

    request_id = "-"

    def format(self, record):
        at = strftime("%Y-%m-%dT%H:%M:%S", gmtime(record.created))
        head = f"[{record.levelname}] {at}.{int(record.msecs):03}Z {self.request_id}"
        return f"{head} {super().format(record)}"


class Output(logging.StreamHandler):
    """Writes to the sys.stdout of the moment. While that cannot be written to, to file 1."""

    def __init__(self):
        self.chosen = None
        logging.Handler.__init__(self)
        self.file = open(1, "w", 1, "utf-8", "backslashreplace", closefd=False)

    @property
    def stream(self):
        for stream in (self.chosen, getattr(sys, "stdout", None)):
            if is_open(stream):
                return stream
        return self.file

    @stream.setter
    def stream(self, stream):
        self.chosen = stream


def is_open(stream):
    """Whether a stream, which may be any object of the function, can be written to."""
    try:
        return callable(stream.write) and not getattr(stream, "closed", False)
    except BaseException:
        return False


def log_from(logger):
    """Gives the root logger a handler, as in the cloud. Returns its lines."""
    lines = LogLines()
    handler = Output()
    handler.setFormatter(lines)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return lines


def load(environment):
    root = environment["USER_CODE_ROOT"]
    folders = [os.path.join(root, name) for name in ("", "vendor", "layer", "layer/python")]
    folders = [os.path.normpath(folder) for folder in folders]
    sys.path[:0] = folders
    sys.meta_path.append(CosAlias())
    # A PYTHONPATH of the function comes before the standard library.
    first = usual_path.index(library) if library in usual_path else 0
    give_way(folders + [folder for folder in usual_path[:first] if not folder.endswith(".zip")])
    module, _, name = environment["_HANDLER"].rpartition(".")
    module = module.replace("/", ".")
    taken = is_taken(module.partition(".")[0], folders)
    if taken:
        return None, taken
    handler = getattr(importlib.import_module(module), name, None)
    return handler, f"module {module} has no function {name}"


def is_taken(name, folders):
    """What comes before the function's own module of this name, as a message. Modules of the
    interpreter come before all files, and any module before a folder without __init__.py."""
    own = importlib.machinery.PathFinder.find_spec(name, folders)
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:
        # A module that is loaded, and was not found in the usual way: __main__.
        spec = importlib.machinery.ModuleSpec(name, None, origin="loaded")
    if own is None or spec is None or spec.origin == own.origin:
        return None
    return (f"the name {name} is taken by a module of Python ({spec.origin}), which comes first: "
            "rename yours, and name it so in handler")


def give_way(folders):
    """What is imported here keeps its modules. The function gets those of its own that have the same
    names, as if it had been started by itself."""
    for name in {name.partition(".")[0] for name in loaded_here}:
        spec = importlib.machinery.PathFinder.find_spec(name, folders)
        # A folder without __init__.py has no place. It never comes before a real module.
        if spec and spec.has_location:
            for loaded in list(sys.modules):
                if loaded in loaded_here and loaded.partition(".")[0] == name:
                    given_way[loaded] = sys.modules.pop(loaded)


def static_context(env):
    own = {"SCF_NAMESPACE": "default", **{k: v for k, v in env.items() if k not in OURS}}
    return {
        "environment": dumps(own), "environ": ";".join(f"{k}={v}" for k, v in own.items()),
        "function_version": env["SCF_FUNCTIONVERSION"], "function_name": env["SCF_FUNCTIONNAME"],
        "namespace": "default", "tencentcloud_region": env["TENCENTCLOUD_REGION"],
        "tencentcloud_appid": env["TENCENTCLOUD_APPID"],
        "tencentcloud_uin": env["TENCENTCLOUD_UIN"]}


def invoke(handler, body, context):
    return dumps(handler(loads(body), context), ensure_ascii=False).encode()


def flush(streams):
    """A line without its end must not be told to the next request. The function may have replaced,
    closed or removed the streams."""
    for stream in [*streams, getattr(sys, "stdout", None), getattr(sys, "stderr", None)]:
        try:
            stream.flush()
        except BaseException:
            pass


def exit_code(error):
    if error.code is None:
        return 0
    return error.code & 0xff if isinstance(error.code, int) else 1


def leave_child(error):
    """Ends a process that the function has forked, and that has left the handler, or its module, by
    this error. The events belong to its parent."""
    if isinstance(error, SystemExit):
        leave(exit_code(error))
    write(2, (describe(lambda: trace_of(error)) or "").encode())
    leave(1)


def by_lines(name):
    """The standard stream `name`, which is made to write each line at once, and any character."""
    stream = getattr(sys, name)
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
        return stream
    # Python 3.6, which does not write UTF-8 by itself where the locale names no encoding.
    is_ascii = codecs.lookup(stream.encoding).name == "ascii"
    encoding = "utf-8" if is_ascii else stream.encoding
    changed = TextIOWrapper(stream.detach(), encoding, "backslashreplace", line_buffering=True)
    setattr(sys, name, changed)
    setattr(sys, f"__{name}__", changed)
    return changed


def main():
    process = process_id()
    streams = [by_lines(name) for name in ("stdout", "stderr") if getattr(sys, name)]
    environment = dict(os.environ)
    api = Api(environment)
    # Taken out, so that no program of the function inherits it.
    del os.environ["LONGHOLD_SECRET"], environment["LONGHOLD_SECRET"]
    always = static_context(environment)
    if names_text:
        settings = loads(names_text)
        lead_names(Names(settings), whole_socket)
        if settings["roots"]:
            trust(settings["roots"])
    lines = log_from(logging.root)
    try:
        handler, problem = load(environment)
    except BaseException as error:
        if process_id() != process:
            flush(streams)
            leave_child(error)
        api.fail("init/error", 443, error)
        return 1
    if process_id() != process:
        flush(streams)
        leave(0)
    if not callable(handler):
        api.fail("init/error", 437, AttributeError(problem))
        return 1
    api.call("POST", "init/ready")
    while True:
        status, headers, body = api.call("GET", "invocation/next")
        if status != 200:
            return 0
        request_id = lines.request_id = headers["request_id"]
        context = {
            "memory_limit_in_mb": int(headers["memory_limit_in_mb"]),
            "time_limit_in_ms": int(headers["time_limit_in_ms"]),
            "request_id": request_id, **always}
        try:
            reply = invoke(handler, body, context)
        except BaseException as error:
            flush(streams)
            if process_id() != process:
                leave_child(error)
            api.fail("invocation/error", 430, error, request_id)
            if isinstance(error, SystemExit):
                # As the function wants it, also while its threads go on. No event is in hand.
                describe(run_exit_functions)
                flush(streams)
                leave(exit_code(error))
            continue
        flush(streams)
        if process_id() != process:
            leave(0)
        api.call("POST", "invocation/response", reply, request_id)


if __name__ == "__main__":
    try:
        code = main()
    except RunnerGone:
        leave(0)
    sys.exit(code)
