"""Has the cloud's host names lead to the listener of the instance, in this process.

Comes before bootstrap.py in one text, and imports nothing by itself. What a program that this
process starts looks up is not changed.
"""

# An address of this machine that nothing uses. It stands for the listener where a library passes
# only the address on, and has a port of its own.
LISTENER_ADDRESS = "127.83.67.70"


class Names:
    """Which names lead to the listener, and which are refused."""

    def __init__(self, settings):
        self.listener = "127.0.0.1", settings["port"]
        from re import compile as compiled
        self.forms = [compiled(form) for form in settings["forms"]]
        self.led, self.passed = set(settings["led"]), set(settings["passed"])
        self.refused, self.refuses = set(settings["refused"]), settings["refuses"]
        self.ends, self.said = tuple(settings["ends"]), set()

    def lead(self, host):
        """Whether the name leads to the listener."""
        name = plain_name(host)
        if not name or name in self.passed or self.listener[1] is None:
            return False
        return name in self.led or any(form.fullmatch(name) for form in self.forms)

    def check(self, host, socket):
        """Raises the usual error for a name that is refused. One of the cloud that is left as it is
        may not be there: the log says that it was not led."""
        name = plain_name(host)
        if not name or name in self.passed or name in self.led:
            return
        if name not in self.refused and not (self.refuses and is_outside(name, socket)):
            if name.endswith(self.ends):
                self.say(name, "is a name of the cloud that is left as it is: set cloud.names")
            return
        self.say(name, "is refused: set cloud.outside or cloud.names")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def say(self, name, what):
        """A line in the log of the function, once for each name."""
        if name not in self.said and len(self.said) < 256:
            self.said.add(name)
            os.write(2, f"{name} {what} in functions.toml\n".encode("utf-8", "replace"))


def plain_name(host):
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    return host.lower().rstrip(".") if isinstance(host, str) else None


def is_outside(name, socket):
    """Whether a name is neither an address nor one of this machine."""
    if name == "localhost" or name.endswith(".localhost") or name == socket.gethostname().lower():
        return False
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name.partition("%")[0])
            return False
        except OSError:
            pass
    return True


def lead_names(names, socket):
    """Changes the module socket, through which all of Python connects, before the code of the
    function is loaded: what that replaces comes on top, and comes back here."""
    getaddrinfo, gethostbyname = socket.getaddrinfo, socket.gethostbyname
    gethostbyname_ex = socket.gethostbyname_ex
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def getaddrinfo_led(host, port, family=0, type=0, proto=0, flags=0):
        if not names.lead(host):
            names.check(host, socket)
            return getaddrinfo(host, port, family, type, proto, flags)
        if family not in (0, socket.AF_INET):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        kind = type or socket.SOCK_STREAM
        protocol = proto or (socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else 0)
        canonical = plain_name(host) if flags & socket.AI_CANONNAME else ""
        address = LISTENER_ADDRESS, names.listener[1]
        return [(socket.AF_INET, socket.SocketKind(kind), protocol, canonical, address)]

    def gethostbyname_led(hostname):
        if names.lead(hostname):
            return LISTENER_ADDRESS
        names.check(hostname, socket)
        return gethostbyname(hostname)

    def gethostbyname_ex_led(hostname):
        if names.lead(hostname):
            return plain_name(hostname), [], [LISTENER_ADDRESS]
        names.check(hostname, socket)
        return gethostbyname_ex(hostname)

    def led(own, address):
        if own.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
            return address
        host = address[0] if address else None
        if own.family == socket.AF_INET and (host == LISTENER_ADDRESS or names.lead(host)):
            return names.listener
        names.check(host, socket)
        return address

    def connect_led(self, address):
        return connect(self, led(self, address))

    def connect_ex_led(self, address):
        return connect_ex(self, led(self, address))

    for module, changed in ((socket, (getaddrinfo_led, gethostbyname_led, gethostbyname_ex_led)),
                            (socket.socket, (connect_led, connect_ex_led))):
        for function in changed:
            name = function.__name__[:-len("_led")]
            function.__name__ = name
            function.__qualname__ = getattr(getattr(module, name), "__qualname__", name)
            setattr(module, name, function)


def trust(roots):
    """Has the package certifi answer with `roots`, whenever it is imported. Many libraries take the
    authorities that they trust from there, and not from the system."""

    def replace(module):
        for place in (module, sys.modules.get("certifi.core")):
            if hasattr(place, "where"):
                place.where = lambda: roots
            if hasattr(place, "contents"):
                place.contents = lambda: read_text(roots)

    class Certificates(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name != "certifi":
                return None
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            if spec is None or not hasattr(spec.loader, "exec_module"):
                return None
            execute = spec.loader.exec_module

            def execute_and_replace(module):
                execute(module)
                replace(module)

            spec.loader.exec_module = execute_and_replace
            return spec

    sys.meta_path.insert(0, Certificates())
    # Some interpreters have a .pth file that imports it before any program runs.
    if "certifi" in sys.modules:
        replace(sys.modules["certifi"])


def read_text(file):
    with open(file, encoding="ascii", errors="replace") as opened:
        return opened.read()


