"""The checks of a running stack, one function for each."""

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request

from load import Load
from stack import COMMIT, Failed, image_bytes
from websocket import Closed, Refused, WebSocket

SERVICES = ("gateway", "function-runner")
CHAT, ECHO = "/release/chat", "/release/echo"
INTERNAL = (9001, 9002)
OPERATOR_TOKEN = "access/operator.token"
BUCKET = "chat-1250000000.cos.ap-guangzhou.myqcloud.com"
BASE = "debian:bookworm-slim"
MEGABYTE = 1000 * 1000
CONNECTIONS, RESTARTS = 64, 3


def sizes(stack):
    """Each image adds less than 40 MB to its base image. Needs containers, running or not."""
    base_bytes = image_bytes(BASE)
    for service in SERVICES:
        own = (stack.image_bytes(service) - base_bytes) / MEGABYTE
        whole = stack.image_bytes(service) / MEGABYTE
        say(f"image {service}: {own:.1f} MB without its base, {whole:.1f} MB with {BASE}")
        expect(own < 40, f"the image of {service} is too large")


async def cold_start(stack):
    """The time from `up` until the first client is connected and its register function has run."""
    begin = time.monotonic()
    up = asyncio.create_task(asyncio.to_thread(stack.up))
    client = await first_client(stack.port, up)
    say(f"cold start: {time.monotonic() - begin:.1f} s from `up` to the first WebSocket")
    await client.close()
    await up
    for service in SERVICES:
        await eventually(lambda: health(stack, service), "healthy", f"health of {service}")
    say("both containers are healthy")


def versions(stack):
    """Each program names the commit that its image was built from."""
    for service in SERVICES:
        version = stack.version(service)
        expect(version.endswith(f" (commit {COMMIT})"), f"version of {service}: {version}")
    say("both programs name their commit")


async def change_of_stack(stack):
    """The documented command alone, with no build before: the containers of the other stack run."""
    await asyncio.to_thread(stack.up_as_documented)
    for service in SERVICES:
        await eventually(lambda: health(stack, service), "healthy", f"health of {service}")
    say("the documented command replaced the other stack")


async def runtime(stack, word):
    """What runs the functions of the chat, as the function-runner says in its log."""
    logs = await asyncio.to_thread(stack.compose, "logs", "--no-color", SERVICES[1])
    ready = [line for line in logs.splitlines() if "function chat-transmit ready" in line]
    expect(ready, "the log does not say what runs chat-transmit")
    expect(f'runtime.kind="{word}"' in ready[-1], f"chat-transmit does not run in {word}: {ready[-1]}")
    say(f"the functions run in {word}")


def confinement(stack, services=SERVICES):
    """The containers have no more rights than they need."""
    for service in services:
        user = stack.inspect(service, "{{.Config.User}}")
        expect(user not in ("", "root", "0", "0:0"), f"{service} runs as {user or 'root'}")
        read_only = stack.inspect(service, "{{.HostConfig.ReadonlyRootfs}}")
        expect_equal(read_only, "true", f"read-only file system of {service}")
        dropped = stack.inspect(service, "{{.HostConfig.CapDrop}}")
        expect_equal(dropped, "[ALL]", f"dropped capabilities of {service}")
        options = stack.inspect(service, "{{.HostConfig.SecurityOpt}}")
        expect("no-new-privileges" in options, f"security options of {service}: {options}")
    say(f"not root, no capabilities, nothing written to the image: {', '.join(services)}")


def published(stack, expected):
    """Each service publishes its expected ports, and no other ones."""
    template = "{{range $p, $to := .NetworkSettings.Ports}}{{if $to}}{{$p}} {{end}}{{end}}"
    for service, ports in expected.items():
        found = stack.inspect(service, template).strip()
        expect(found == ports, f"{service} publishes {found or 'nothing'}")
    say(f"only the expected ports are published: {', '.join(expected)}")


async def listeners(stack, taken):
    """Only the public port answers. Ports in `taken` were in use before the stack was started."""
    page = await asyncio.to_thread(get, f"http://127.0.0.1:{stack.port}/")
    expect(b"<html" in page, "the chat page is not served")
    published(stack, {"gateway": "9000/tcp", "function-runner": ""})
    for port in INTERNAL:
        if port in taken:
            say(f"port {port} is not checked: it was in use before")
        else:
            expect(not answers(port), f"port {port} answers from outside")
    say("the public port serves the chat page, and the internal ones do not answer")


def tokens(stack):
    """Each service takes the operator's token of its own container, and no other one."""
    routes = {"gateway": (9001, "/cleanups"), "function-runner": (9002, "/functions")}
    own = {service: operator_token(stack, service) for service in SERVICES}
    for service, (port, path) in routes.items():
        url = f"http://{address(stack, service)}:{port}{path}"
        expect_equal(status(url), 401, f"answer of {service} without a token")
        for owner, token in own.items():
            expected = 200 if owner == service else 401
            expect_equal(status(url, token), expected, f"answer of {service} to the token of {owner}")
    say("the internal listeners ask for tokens, and each service has its own for the operator")


async def secrets(stack):
    """A function reads no token, also where the container makes no mounts."""
    await asyncio.to_thread(stack.up)
    await eventually(lambda: health(stack, SERVICES[1]), "healthy", "health of the function-runner")
    files = [OPERATOR_TOKEN, "/run/longhold/service.token"]
    for file in files:
        stack.compose("exec", "-T", SERVICES[1], "test", "-s", file)
    read = await asyncio.to_thread(invoke, stack, "reads", {"paths": [*files, "/etc/hostname"]})
    expect(read.pop("/etc/hostname") is None, "the function can read no file at all")
    for file, problem in read.items():
        expect(problem is not None, f"a function has read {file}")
    say("a function reads no token")


async def object_store(stack):
    """A bucket is found by its name, by functions with the pair of their role alone."""
    await eventually(lambda: health(stack, "cos"), "healthy", "health of the object store")
    url = f"http://{BUCKET}/hello"
    answer = await asyncio.to_thread(invoke, stack, "stores", {"url": url, "text": "hello"})
    expect_equal(answer, [200, 200, "hello"], "answers to a put and a get")
    # A program that is no function of the runner has the name from the network.
    ask = f"import http.client as h; c = h.HTTPConnection('{BUCKET}'); c.request('GET', '/hello'); " \
        "print(c.getresponse().status)"
    status = stack.compose("exec", "-T", SERVICES[1], "python3", "-c", ask).strip()
    expect_equal(status, "403", "answer to a request without a signature")
    say("functions store objects by the name of the bucket, and nobody else does")


def invoke(stack, function, event):
    """What a function returns."""
    url = f"http://{address(stack, SERVICES[1])}:9002/functions/{function}/invocations"
    headers = {"Authorization": f"Bearer {operator_token(stack, SERVICES[1])}"}
    request = urllib.request.Request(url, json.dumps(event).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def operator_token(stack, service):
    return stack.compose("exec", "-T", service, "cat", OPERATOR_TOKEN).strip()


def address(stack, service):
    return stack.inspect(service, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")


async def chat(stack):
    """A message reaches all other clients, with the number of clients, and not its sender."""
    ann, bob = [await WebSocket.connect(stack.port, CHAT) for _ in range(2)]
    for sender, receiver, text in ((ann, bob, "hello, Bob"), (bob, ann, "grüß dich, Ann")):
        await sender.send(text)
        # For Ann this is the first message: her own was not sent back to her.
        expect_equal(await receiver.receive(), f"{text}(===Online people:2===)", "message")
    await ann.close()
    await bob.close()
    say("two clients chat")


async def echo(stack):
    """Messages come back in order, also if they are sent without waiting for the echoes."""
    client = await WebSocket.connect(stack.port, ECHO)
    texts = [f"message {number}" for number in range(100)] + ["x" * 30_000]
    for text in texts:
        await client.send(text)
    expect_equal([await client.receive() for _ in texts], texts, "echo")
    await client.close()
    say("a client gets its messages back, in order")


async def restart_under_load(stack):
    """When the function-runner is restarted or replaced, clients wait, and no message is lost."""
    replace = ("up", "--detach", "--no-build", "--no-deps", "--force-recreate", SERVICES[1])
    ways = [("restarted", ("restart", SERVICES[1]))] * RESTARTS + [("replaced", replace)]
    async with Load(stack.port, CONNECTIONS) as load:
        await load.each_echoes(20)
        for done, command in ways:
            before, begin = await started(stack), time.monotonic()
            await asyncio.to_thread(stack.compose, *command)
            seconds = time.monotonic() - begin
            await load.each_echoes(20)
            expect(await started(stack) != before, f"function-runner was not {done}")
            say(f"function-runner {done} in {seconds:.1f} s under {CONNECTIONS} connections")
    say(
        f"all {sum(load.echoed)} messages came back once and in order, and no client was closed;"
        f" the longest wait was {load.longest:.1f} s"
    )


async def stop_and_start(stack, count_roster):
    """The roster has exactly the open connections: before a stop, after it, and after a start."""
    clients = [await WebSocket.connect(stack.port, CHAT) for _ in range(5)]
    await eventually(count_roster, 5, "roster")
    await asyncio.to_thread(stack.compose, "stop")
    for client in clients:
        expect_equal(await close_code(client), 1001, "Close")
    expect_equal(await count_roster(), 0, "roster")
    say("stopped: 5 clients were closed with 1001, and none is left in the roster")

    start = asyncio.create_task(asyncio.to_thread(stack.compose, "start"))
    await (await first_client(stack.port, start)).close()
    await start
    clients = [await WebSocket.connect(stack.port, CHAT) for _ in range(4)]
    await eventually(count_roster, 4, "roster")
    await clients.pop().close()
    clients.pop().abort()
    await eventually(count_roster, 2, "roster")
    await clients[0].send("who is there?")
    text = await clients[1].receive()
    expect_equal(text, "who is there?(===Online people:2===)", "message")
    for client in clients:
        await client.close()
    await eventually(count_roster, 0, "roster")
    say("started again: the roster has exactly the open connections")


async def first_client(port, starting, seconds=120):
    """Tries until a client is accepted, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await WebSocket.connect(port, CHAT)
        except (OSError, EOFError, Refused, asyncio.TimeoutError) as error:
            if starting.done():
                starting.result()
            if time.monotonic() > deadline:
                raise Failed(f"no client was accepted within {seconds} s: {error!r}") from None
            await asyncio.sleep(0.02)


async def close_code(client):
    """The code with which the gateway closes a client."""
    try:
        return f"none, but the message {await client.receive()!r}"
    except Closed as closed:
        return closed.code


async def health(stack, service):
    return await asyncio.to_thread(stack.inspect, service, "{{.State.Health.Status}}")


async def started(stack):
    return await asyncio.to_thread(stack.inspect, "function-runner", "{{.State.StartedAt}}")


def status(url, token=None):
    """The status of the answer to a GET with this bearer token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def get(url):
    """The body of a page, without a proxy of the environment."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        return answer.read()


def answers(port):
    """Whether a process of this machine accepts connections on a port."""
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex(("127.0.0.1", port)) == 0


async def eventually(ask, expected, what, seconds=30):
    """Asks until the answer is the expected one."""
    deadline = time.monotonic() + seconds
    while (answer := await ask()) != expected:
        if time.monotonic() > deadline:
            raise Failed(f"{what}: {answer!r} and not {expected!r}, for {seconds} s")
        await asyncio.sleep(0.1)


def expect_equal(answer, expected, what):
    expect(answer == expected, f"{what}: {answer!r} and not {expected!r}")


def expect(holds, otherwise):
    if not holds:
        raise Failed(otherwise)


def say(text):
    print(f"  {text}", flush=True)
