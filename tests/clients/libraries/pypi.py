"""Libraries of PyPI."""

from library import BROWSER, NEVER, READING, SENDING, TOLD_OF_NONE, VALID, Library, replaced

# Codes that wsproto replaces by 1000, since no Close frame may have them.
LOCAL = replaced((1005, 1006, 1015), "client 1000")

LIBRARIES = (
    Library("websockets", "websockets_asyncio.py", "websockets", "17.4", few=True, pings=20, sends=VALID),
    Library("websockets-sync", "websockets_sync.py", "websockets", "17.4", pings=20, sends=VALID),
    Library(
        "websocket-client", "websocket_client.py", "websocket-client", "1.9.2",
        few=True, needs_subprotocol=True, pongs=READING,
    ),
    Library(
        "websocket-client-app", "websocket_client_app.py", "websocket-client", "1.9.2",
        needs_subprotocol=True,
    ),
    Library("aiohttp", "aiohttp_client.py", "aiohttp", "3.14.5", few=True, pongs=READING),
    Library("httpx-ws", "httpx_ws_client.py", "httpx-ws", "0.9.0", pings=20, instead=LOCAL),
    Library("wsproto", "wsproto_client.py", "wsproto", "1.3.2", pongs=READING, instead=LOCAL),
    Library("tornado", "tornado_client.py", "tornado", "6.6.1", few=True, default_code=None),
    Library(
        "autobahn-asyncio", "autobahn_asyncio.py", "autobahn", "26.10.2",
        default_code=None, sends=BROWSER,
    ),
    Library(
        "autobahn-twisted", "autobahn_twisted.py", "autobahn", "26.10.2",
        others=("twisted==26.10.0",), default_code=None, sends=BROWSER,
    ),
    Library("picows", "picows_client.py", "picows", "2.3.1", default_code=0),
    Library("trio-websocket", "trio_websocket_client.py", "trio-websocket", "0.12.2", instead=LOCAL),
    Library(
        "simple-websocket", "simple_websocket_client.py", "simple-websocket", "1.1.0",
        instead={**LOCAL, 0: "client 1000"},
    ),
    Library("ws4py", "ws4py_client.py", "ws4py", "0.6.0", instead={0: TOLD_OF_NONE}),
    Library("lomond", "lomond_client.py", "lomond", "0.3.4", pings=30),
    Library(
        "curl-cffi", "curl_cffi_client.py", "curl-cffi", "0.17.0",
        tells_subprotocol=False, idles=False, pongs=SENDING,
        instead=replaced((0, 999, 1004, 1005, 1006, 1015, 2000, 5000), "client 1011"),
    ),
    Library("pycurl", "pycurl_client.py", "pycurl", "7.49.0", pongs=SENDING, idles=False),
    Library("aiosonic", "aiosonic_client.py", "aiosonic", "1.3.3", pings=30, pongs=NEVER),
    Library(
        "niquests", "niquests_client.py", "niquests", "3.21.2",
        others=("niquests[ws]==3.21.2",), pongs=READING, default_code=0, sends=(),
    ),
    Library(
        "wreq", "wreq_client.py", "wreq", "0.13.0",
        needs_subprotocol=True, pongs=READING, default_code=None,
    ),
)
