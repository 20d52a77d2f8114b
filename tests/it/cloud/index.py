import json, os, socket, ssl, subprocess, sys, urllib.error, urllib.request
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit


def by_urllib(url, body):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body.encode()), timeout=20) as answer:
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]


def by_http_client(url, body):
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname, timeout=20)
    path = parts.path + ("?" + parts.query if parts.query else "")
    connection.request("POST", path, body)
    answer = connection.getresponse()
    return [answer.status, answer.read().decode()]


def by_socket(url, body):
    """The address first, then the connection, to the port of the scheme."""
    parts = urlsplit(url)
    address = socket.gethostbyname(parts.hostname)
    connection = socket.socket()
    connection.connect((address, 443 if parts.scheme == "https" else 80))
    if parts.scheme == "https":
        context = ssl.create_default_context()
        # The default from Python 3.13 on.
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        connection = context.wrap_socket(connection, server_hostname=parts.hostname)
    path = parts.path + ("?" + parts.query if parts.query else "")
    head = f"POST {path} HTTP/1.1\r\nhost: {parts.hostname}\r\nconnection: close\r\n"
    connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
    received = b""
    while part := connection.recv(1 << 16):
        received += part
    connection.close()
    return [int(received.split()[1]), received.decode()]


def by_requests(url, body):
    import requests
    answer = requests.post(url, data=body, timeout=20)
    return [answer.status_code, answer.text]


def by_httpx(url, body):
    import httpx
    answer = httpx.post(url, content=body, timeout=20)
    return [answer.status_code, answer.text]


def by_httpx_async(url, body):
    import asyncio, httpx

    async def post():
        async with httpx.AsyncClient(timeout=20) as client:
            return await client.post(url, content=body)
    answer = asyncio.run(post())
    return [answer.status_code, answer.text]


def by_aiohttp(url, body):
    import aiohttp, asyncio

    async def post():
        async with aiohttp.ClientSession() as session:
            async with session.post(url, data=body) as answer:
                return [answer.status, await answer.text()]
    return asyncio.run(post())


def by_cos_sdk(url, body):
    from qcloud_cos_v5 import CosConfig, CosS3Client
    pair = {"SecretId": os.environ["TENCENTCLOUD_SECRETID"],
            "SecretKey": os.environ["TENCENTCLOUD_SECRETKEY"]}
    client = CosS3Client(CosConfig(Region="ap-guangzhou", Scheme=urlsplit(url).scheme, **pair))
    client.put_object(Bucket="chat-1250000000", Body=body.encode(), Key="folder/a b")
    return [200, ""]


def by_requests_beside_responses(url, body):
    import requests, responses
    with responses.RequestsMock() as mock:
        mock.add(responses.GET, "http://mocked.example/", json={"mocked": True})
        mock.add_passthru(url.split("?")[0])
        assert requests.get("http://mocked.example/").json() == {"mocked": True}
        return by_requests(url, body)


def by_requests_beside_requests_mock(url, body):
    import requests, requests_mock
    with requests_mock.Mocker(real_http=True) as mock:
        mock.get("http://mocked.example/", text="mocked")
        assert requests.get("http://mocked.example/").text == "mocked"
        return by_requests(url, body)


def by_urllib_beside_httpretty(url, body):
    import httpretty
    with httpretty.enabled(allow_net_connect=True):
        httpretty.register_uri(httpretty.GET, "http://mocked.example/", body="mocked")
        assert urllib.request.urlopen("http://mocked.example/").read() == b"mocked"
    return by_urllib(url, body)


def by_child(url, body):
    """A program that this function starts."""
    code = "import urllib.request as u; print(u.urlopen(%r, %r, 5).status)" % (url, body.encode())
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return [done.returncode, done.stdout + done.stderr[-300:]]


def by_page(url, body):
    """As a page in a browser sends it."""
    request = urllib.request.Request(url, body.encode(), {"origin": "https://evil.example"})
    try:
        return [urllib.request.urlopen(request, timeout=20).status, ""]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]


def main_handler(event, context):
    if "eval" in event:
        return eval(event["eval"])
    try:
        return globals()["by_" + event["by"]](event["url"], event["body"])
    except Exception as error:
        return [type(error).__name__, str(error)]
