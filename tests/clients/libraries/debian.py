"""Libraries that Debian has, in Perl, Ruby, Java, Go, C++ and C."""

from library import BROWSER, INVALID, NO_CLOSE, READING, RFC, TOLD_OF_NONE, VALID, Library, replaced

# The JDK that the release of Debian has.
JDK = ("default-jdk-headless",)
GO = ("golang-go",)
# Some send 1002 in place of a code that no client may send.
REPLACED = "client 1002"

GXX = ("g++", "libboost-dev")

LIBRARIES = (
    Library(
        "mojolicious", "perl/mojolicious.pl", "libmojolicious-perl",
        few=True, default_code=None, instead={0: TOLD_OF_NONE},
    ),
    Library(
        "anyevent-websocket", "perl/anyevent.pl", "libanyevent-websocket-client-perl",
        needs_subprotocol=True, default_code=1005,
    ),
    Library(
        "faye-websocket-ruby", "ruby/faye_websocket.rb", "ruby-faye-websocket",
        others=("ruby",), few=True, sends=BROWSER,
    ),
    Library("java.net.http", "java/Jdk.java", *JDK, few=True, sends=RFC),
    Library(
        "okhttp", "java/OkHttp.java", "libokhttp-java",
        others=JDK, arguments=("okhttp.jar", "okio.jar"), sends=RFC,
    ),
    Library(
        "tomcat", "java/Tomcat.java", "libtomcat10-java",
        others=JDK, arguments=("tomcat10-*.jar",), sends=(*RFC, 1004, 1005, 1015),
        instead={1006: REPLACED},
    ),
    Library(
        "gorilla", "go/gorilla.go", "golang-github-gorilla-websocket-dev",
        others=GO, few=True, pongs=READING, default_code=NO_CLOSE, instead={1005: TOLD_OF_NONE},
    ),
    Library(
        "nhooyr", "go/nhooyr.go", "golang-nhooyr-websocket-dev",
        others=GO, pongs=READING, sends=VALID, instead={1005: TOLD_OF_NONE},
    ),
    Library("x-net", "go/xnet.go", "golang-golang-x-net-dev", others=GO, pongs=READING, sends=(), names_status=False),
    Library(
        "beast", "cpp/beast.cpp", "libboost-dev",
        others=GXX, pongs=READING, arguments=("-pthread",), sends=(*RFC, *INVALID), instead={0: TOLD_OF_NONE},
        names_status=False,
    ),
    Library(
        "websocketpp", "cpp/websocketpp.cpp", "libwebsocketpp-dev",
        others=GXX, few=True, arguments=("-pthread",), sends=VALID, instead={0: TOLD_OF_NONE, 1005: TOLD_OF_NONE},
    ),
    Library(
        "qt5", "python/qt_client.py", "python3-pyqt5.qtwebsockets",
        arguments=("PyQt5",), tells_subprotocol=False,
    ),
    Library(
        "qt6", "python/qt_client.py", "python3-pyqt6.qtwebsockets",
        arguments=("PyQt6",), tells_subprotocol=False,
    ),
    Library(
        "libsoup", "python/soup_client.py", "gir1.2-soup-3.0",
        others=("python3-gi",), few=True, sends=RFC,
        instead={1005: TOLD_OF_NONE, **replaced((0, 999, 1004, 1014, 2000, 5000), REPLACED)},
    ),
)
