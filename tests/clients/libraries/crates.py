"""Libraries of crates.io. Their versions are those of drivers/rust/Cargo.toml."""

from library import INVALID, READING, RFC, VALID, Library

LIBRARIES = (
    Library(
        "tungstenite", "tungstenite", "tungstenite", "0.30.0", pongs=READING,
        few=True, needs_subprotocol=True, default_code=None,
    ),
    Library(
        "tokio-tungstenite", "tokio-tungstenite", "tokio-tungstenite", "0.30.0", pongs=READING,
        few=True, needs_subprotocol=True, default_code=None,
    ),
    Library("tokio-websockets", "tokio-websockets", "tokio-websockets", "0.13.3", pongs=READING, sends=VALID),
    Library(
        "fastwebsockets", "fastwebsockets", "fastwebsockets", "0.10.0", pongs=READING,
        sends=(*RFC, *INVALID),
    ),
    Library(
        "reqwest-websocket", "reqwest-websocket", "reqwest-websocket", "0.6.0", pongs=READING,
        needs_subprotocol=True,
    ),
)
