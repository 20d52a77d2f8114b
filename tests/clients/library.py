"""A client library: where it comes from, which driver uses it, and what is expected of it."""

import dataclasses

# Codes that a client may send: some of RFC 6455, 7.4, and with the one that was registered later.
RFC = (1000, 1001, 3000, 4999)
VALID = (*RFC, 1014)
# Codes that it may not.
INVALID = (0, 999, 1004, 1005, 1006, 1015, 2000, 5000)
CODES = VALID + INVALID

# What `close` of browsers takes.
BROWSER = (1000, 3000, 4999)

# The default of a library that ends the TCP connection without a Close.
NO_CLOSE = -1

# When a library answers pings.
ALWAYS, READING, SENDING, NEVER = "always", "while the program reads", "with the next message", "never"

# How `close` of a library goes that does not take a code.
REFUSED = "refused"

# What cleanup is told of a Close without a code, and of one with a code that may not be sent.
TOLD_OF_NONE = "client"
TOLD_OF_INVALID = "lost 1002"


@dataclasses.dataclass(frozen=True, eq=False)
class Library:
    """The expectations are facts of the library. The comparison fails when one changes."""

    name: str
    # The file of the driver, in the folder of its language.
    driver: str
    # The package and version that the registry has; for Debian only the package.
    package: str = ""
    version: str = ""
    # Further packages that the driver needs, as `name==version` or `name@version`.
    others: tuple = ()
    # For npm: the program that runs the driver, if it is in the package, and its arguments.
    runtime: str = ""
    arguments: tuple = ()
    # Whether CI runs it.
    few: bool = False
    # Whether it refuses an answer that names no subprotocol after it offered some.
    needs_subprotocol: bool = False
    # Whether it takes subprotocols at all, and whether it tells which one was chosen.
    offers: bool = True
    tells_subprotocol: bool = True
    # The code when the program closes without naming one; None for a Close without a code.
    default_code: int | None = 1000
    # How often it pings by default, in seconds.
    pings: int | None = None
    # When it answers the pings of the gateway.
    pongs: str = ALWAYS
    # Whether it is connected after two minutes of idleness, with its defaults.
    idles: bool = True
    # The codes that its `close` takes and sends as they are.
    sends: tuple = CODES
    # What cleanup is told of codes that it replaces. All other codes are refused with an error.
    instead: dict = dataclasses.field(default_factory=dict)
    # Whether its error names the HTTP status of a refusal.
    names_status: bool = True

    @property
    def default_close(self):
        """What cleanup is told when the program closes without naming a code."""
        if self.default_code is None:
            return TOLD_OF_NONE
        return "lost" if self.default_code == NO_CLOSE else told_of(self.default_code)

    def closes(self, code):
        """What is expected of `close(code)`: what cleanup is told, or `REFUSED`."""
        if code in self.instead:
            return self.instead[code]
        return told_of(code) if code in self.sends else REFUSED


def told_of(code):
    """What cleanup is told of a Close with this code."""
    return f"client {code}" if code in VALID else TOLD_OF_INVALID


def replaced(codes, told):
    """Codes that a library replaces, and what cleanup is told of each."""
    return dict.fromkeys(codes, told)
