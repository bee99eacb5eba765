"""A local HTTP server that misbehaves on request: drops, delays, corrupts, truncates, refuses."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass
class Answer:
    """How the server answers one address; `faults` are used up one a request, then all is well.

    A fault is a status code (404, 429, 500...), or one of
    "drop" (half of what is left, then the connection closes), "hang" (half, then silence),
    "corrupt" (one byte changed), "truncate" (a shorter file, as if complete),
    "page" (a web page instead of the file), "shift" (another range than the one asked for),
    "drip" (a byte now and then), "endless" (a body that never ends);
    bytes are sent as they are, head and body, and the connection closes.
    """

    body: bytes
    faults: list = field(default_factory=list)
    ranges: bool = True
    tag: bool = True
    delay: float = 0.0
    retry_after: str = ""


class Server:
    """The server's address, what it serves, and a record of what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[dict[str, str]] = []
        self.address = ""

    def serve(self, path: str, body: bytes, *faults, **how) -> Answer:
        self.answers[path] = Answer(body, list(faults), **how)
        return self.answers[path]


@contextlib.contextmanager
def running() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_) -> None:
            pass

        def do_GET(self) -> None:
            path = unquote(self.path.partition("?")[0])
            server.requests.append({"path": path, **self.headers})
            answer = server.answers.get(path)
            if answer is None:
                return self.refuse(404)
            time.sleep(answer.delay)
            fault = answer.faults.pop(0) if answer.faults else None
            if isinstance(fault, bytes):
                self.wfile.write(fault)
                self.close_connection = True
                return None
            if isinstance(fault, int):
                return self.refuse(fault, answer.retry_after)
            if fault == "page":
                return self.send(200, b"<html>Please sign in</html>", {"Content-Type": "text/html"})
            body, headers = answer.body, {"Content-Type": "application/octet-stream"}
            if fault == "corrupt":
                body = bytes([body[0] ^ 1]) + body[1:]
            if fault == "truncate":
                body = body[: len(body) // 2]
            tag = f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
            if answer.tag:
                headers["ETag"] = tag
            first = self.first(answer, tag)
            if fault == "shift" and first:
                first //= 2
            if first >= len(body) > 0 and first:
                return self.refuse(416, headers={"Content-Range": f"bytes */{len(body)}"})
            if first:
                headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
            self.send(206 if first else 200, body[first:], headers, fault)

        def first(self, answer: Answer, tag: str) -> int:
            """The first byte asked for, where the server honours that."""
            asked = self.headers.get("Range", "")
            stale = self.headers.get("If-Range", tag) != tag
            if not asked or not answer.ranges or stale:
                return 0
            return int(asked.removeprefix("bytes=").partition("-")[0])

        def send(self, status: int, body: bytes, headers: dict, fault=None) -> None:
            self.send_response(status)
            if fault != "endless":
                headers = {**headers, "Content-Length": str(len(body))}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            while fault == "endless":
                self.wfile.write(bytes(1 << 16))  # until the other side has enough
            if fault == "drip":
                for place in range(len(body)):
                    self.wfile.write(body[place : place + 1])
                    time.sleep(0.02)
            elif fault in ("drop", "hang"):
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                time.sleep(5.0 if fault == "hang" else 0.0)
                self.close_connection = True
            else:
                self.wfile.write(body)

        def refuse(self, status: int, retry_after: str = "", headers: dict | None = None) -> None:
            more = {"Retry-After": retry_after} if retry_after else {}
            self.send(status, b"", {**more, **(headers or {})})

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server.address = f"http://127.0.0.1:{http.server_address[1]}"
        threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        http.shutdown()
