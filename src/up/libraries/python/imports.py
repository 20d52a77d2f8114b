# Says which modules the code of functions imports that are neither its own nor Python's, and whether
# they are there. The code is read, and not run. Any Python from 3.6 on reads this file. It is ASCII:
# without a locale, Python 3.6 takes nothing else.
import sys

# The working folder is not searched: a file there could stand for a module of Python.
sys.path[:] = [folder for folder in sys.path if folder]
import ast
import importlib
import importlib.machinery
import importlib.util
import json
import os
import re

FILES_MAX = 500
BYTES_MAX = 512 * 1024
USUAL_PATH = list(sys.path)
STANDARD = os.path.dirname(os.path.abspath(os.__file__))
# Libraries that are delivered with the code. What they import is not the author's concern.
LIBRARIES = {"site-packages", "qcloud_cos", "qcloud_cos_v5", "tencentcloud"}
# For files that this Python cannot read.
IMPORT = re.compile(r"^\s*(?:import|from)\s+([A-Za-z_][\w.]*)")


def handles_import_error(handler):
    """Whether the code goes on without a module that is not there."""
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    caught = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    return any(name is None or getattr(name, "id", None) in caught for name in names)


def statements(body, optional):
    """All imports in statements: the modules, the level, the line, whether the code can do without."""
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield [alias.name], 0, node.lineno, optional
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            inner = [(module + "." + alias.name).strip(".") for alias in node.names]
            yield [module] + inner, node.level, node.lineno, optional
        elif isinstance(node, ast.Try):
            caught = optional or any(handles_import_error(handler) for handler in node.handlers)
            yield from statements(node.body, caught)
            for handler in node.handlers:
                yield from statements(handler.body, caught)
            yield from statements(node.orelse + node.finalbody, optional)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from statements(node.orelse, optional)
        else:
            for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                inner = getattr(node, field, None)
                if isinstance(inner, list):
                    yield from statements(inner, optional)


def imports_of(file):
    try:
        with open(file, "rb") as source:
            text = source.read(BYTES_MAX)
    except OSError:
        return
    try:
        yield from list(statements(ast.parse(text).body, False))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
            found = IMPORT.match(line)
            if found:
                yield [found.group(1)], 0, number, False


def delivered(folder):
    """The modules that pip has put into a folder."""
    names = set(LIBRARIES)
    for entry in listed(folder):
        if not entry.endswith((".dist-info", ".egg-info")):
            continue
        for record in ("top_level.txt", "RECORD", "installed-files.txt"):
            try:
                with open(os.path.join(folder, entry, record), errors="replace") as lines:
                    names.update(re.split(r"[/,.\s]", line, maxsplit=1)[0] for line in lines)
            except OSError:
                pass
    return names


def listed(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


class Code:
    """The code of a function, from the file of its handler on."""

    def __init__(self, request):
        self.root = request["code"]
        inner = ("", "vendor", "layer", os.path.join("layer", "python"))
        self.roots = [os.path.normpath(os.path.join(self.root, name)) for name in inner]
        self.path = request["libraries"] + USUAL_PATH
        self.delivered = delivered(self.root)
        self.queue = list(self.files(self.root, request["module"].replace("/", ".").split(".")))
        self.seen = set(self.queue)
        self.found = {}

    def read(self):
        while self.queue:
            file = self.queue.pop(0)
            for names, level, line, optional in imports_of(file):
                if level:
                    folder = file
                    for _ in range(level):
                        folder = os.path.dirname(folder)
                    self.follow(folder, names)
                else:
                    self.take(names, file, line, optional)
        return sorted(self.found.values(), key=lambda module: module["name"])

    def take(self, names, file, line, optional):
        top = names[0].split(".")[0]
        own = importlib.machinery.PathFinder.find_spec(top, self.roots)
        if own is not None and (own.origin or self.where(top) == "missing"):
            if top not in self.delivered:
                self.follow(self.root, names)
            return
        # The runner gives qcloud_cos this name too, as the cloud's image does.
        name = "qcloud_cos" if top == "qcloud_cos_v5" else top
        where = self.where(name)
        if where == "python":
            return
        known = self.found.get(name)
        if known is None or (known["is_optional"] and not optional):
            place = file.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            self.found[name] = {"name": name, "file": place, "line": line,
                                "is_optional": optional, "is_there": where == "there"}

    def follow(self, folder, names):
        for name in names:
            for file in self.files(folder, [part for part in name.split(".") if part]):
                if file not in self.seen and len(self.seen) < FILES_MAX:
                    self.seen.add(file)
                    self.queue.append(file)

    @staticmethod
    def files(folder, parts):
        """The files that are loaded for a module below a folder."""
        for count in range(len(parts) + 1):
            path = os.path.join(folder, *parts[:count])
            for file in ((path + ".py",) if count else ()) + (os.path.join(path, "__init__.py"),):
                if os.path.isfile(file):
                    yield file

    def where(self, name):
        """Where a module is that is not of the code: python, there, or missing."""
        if name in sys.builtin_module_names:
            return "python"
        sys.path[:] = self.path
        try:
            spec = importlib.util.find_spec(name)
        except (ValueError, ImportError):
            # It is loaded already.
            return "python"
        if spec is None:
            return "missing"
        places = [spec.origin or ""] + list(spec.submodule_search_locations or [])
        of_python = [place for place in places if place in ("built-in", "frozen") or (
            place.startswith(STANDARD + os.sep)
            and "site-packages" not in place and "dist-packages" not in place)]
        return "python" if of_python else "there"


print(json.dumps([Code(request).read() for request in json.loads(sys.argv[1])]))
