"""What Python loads as it starts, where this folder is on its path: nothing reaches another machine; who tries is told.

Native code that opens sockets of its own, as the messages of a kernel do, is not seen.
"""

import os
import sys
from pathlib import Path

HERE = ("", "localhost", "127.0.0.1", "::1", "0.0.0.0")


def refuse(event, arguments):
    """An audit hook, which sees what Python's sockets do, whoever uses them."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host is None or host in HERE:
        return
    # A library may catch the error and go another way.
    with Path(os.environ["SERTK_REACHED"]).open("a") as reached:
        print(host, file=reached)
    raise ConnectionError(f"a notebook's small setting must need no network. Received: {host}")


sys.addaudithook(refuse)
