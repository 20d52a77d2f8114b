import os
import time

count = 0


def main_handler(event, context):
    global count
    count += 1
    do = event.get("do") if isinstance(event, dict) else None
    if do == "raise":
        raise ValueError("no luck")
    if do == "hang":
        time.sleep(1000)
    if do == "exit":
        os._exit(3)
    if do == "eat":
        hoard = []
        while True:
            hoard.append(bytearray(1 << 20))
            time.sleep(0.001)
    if do == "garble":
        return {1, 2}
    if do == "grow":
        return "x" * (7 << 20)
    if do == "flood":
        for _ in range(100_000):
            print("x" * 100)
        print("y" * 1_000_000, end="")
    if do == "pause":
        time.sleep(0.3)
        return os.getpid()
    if do == "count":
        return count
    if do == "environment":
        return dict(os.environ)
    if do == "context":
        return context
    return event
