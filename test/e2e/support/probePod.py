"""In a pod: listens on ports and answers there, or tries those of others.

probePod.py listen [[protocol, port], ...]
probePod.py try [[protocol, address, port], ...] seconds: prints for each whether there was an answer
"""

import json
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

# A question for the address of "localhost", which every DNS has an answer to; the others just echo it.
QUESTION = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09localhost\x00\x00\x01\x00\x01"


def listen(protocol, port):
    if protocol == "UDP":
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("", port))
        while True:
            message, sender = server.recvfrom(512)
            server.sendto(message, sender)
    server = socket.create_server(("", port), backlog=64)
    while True:
        server.accept()[0].close()


def answers(protocol, address, port, seconds):
    try:
        if protocol == "TCP":
            socket.create_connection((address, port), seconds).close()
            return True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(seconds)
            client.sendto(QUESTION, (address, port))
            return bool(client.recv(512))
    except OSError:
        return False


def main(what, targets, seconds="0"):
    targets = json.loads(targets)
    if what == "listen":
        for target in targets:
            threading.Thread(target=listen, args=target).start()
        return
    with ThreadPoolExecutor(len(targets)) as pool:
        print(json.dumps(list(pool.map(lambda target: answers(*target, float(seconds)), targets))))


main(*sys.argv[1:])
