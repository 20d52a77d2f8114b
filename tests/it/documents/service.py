"""Runs a service of the documents on a port that the system chooses.

The port is printed; the address to push to comes back on stdin, and takes the place of the default.
"""

import http.server
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
push = sys.stdin.readline().strip()


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, address, handler):
        super().__init__(address, handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener


http.server.ThreadingHTTPServer = Server
http.server.BaseHTTPRequestHandler.log_message = lambda *ignored: None
file = sys.argv.pop(1)
source = open(file).read().replace("http://127.0.0.1:9001", push)
exec(compile(source, file, "exec"), {"__name__": "__main__"})
