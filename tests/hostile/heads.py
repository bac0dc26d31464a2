"""Hostile and malformed HTTP requests, for a server to refuse one by one.

cases() yields (name, bytes, statuses). The client sends the bytes, half-closes, and must get exactly one whole answer
with one of the statuses and then the end of the connection. None among the statuses means that an end without an
answer is right too (or, alone, the only right thing). Nothing here needs credentials: every case must be refused, or
found unauthenticated, before anything is done with it.

    python3 heads.py PORT       tries all cases against 127.0.0.1:PORT and says which went wrong
"""

import socket
import sys

LINE = b"POST / HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"
HEAD = LINE + HOST
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

BAD = {400}
VERSION = {400, 505}
TOO_LONG = {400, 414, 431}
# The front door's answers to a request that is good HTTP and nothing else.
REFUSED = {400, 403, 404, 405}


def request_lines():
    yield "empty method", b" / HTTP/1.1\r\n" + HOST + b"\r\n", {400, None}
    yield "method only", b"POST\r\n\r\n", {400, None}
    yield "method and blank", b"POST \r\n\r\n", {400, None}
    yield "no version", b"POST /\r\n\r\n", BAD
    yield "no blank before version", b"POST /HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "two blanks before target", b"POST  / HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "two blanks before version", b"POST /  HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "tab as separator", b"POST\t/\tHTTP/1.1\r\n" + HOST + b"\r\n", {400, None}
    yield "blank at the end", b"POST / HTTP/1.1 \r\n" + HOST + b"\r\n", BAD
    yield "fourth word", b"POST / HTTP/1.1 x\r\n" + HOST + b"\r\n", BAD
    yield "blank in target", b"POST /a b HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "leading blank", b"  POST / HTTP/1.1\r\n" + HOST + b"\r\n", {400, None}
    yield "line of blanks only", b"     \r\n\r\n", {400, None}
    yield "CR in request line", b"POST /\r HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "bare LF", b"POST / HTTP/1.1\n" + HOST + b"\r\n", BAD
    yield "NUL in method", b"PO\0ST / HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "NUL in target", b"POST /\0 HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "NUL in query", b"POST /?a=\0&b HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "NUL in version", b"POST / HTTP/1\0.1\r\n" + HOST + b"\r\n", BAD
    yield "NUL after version", b"POST / HTTP/1.1\0\r\n" + HOST + b"\r\n", BAD
    yield "fragment", b"POST /#x HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "relative target", b"POST a HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "authority form", b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "other scheme", b"POST ftp://localhost/ HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "UTF-8 in target", "POST /ä HTTP/1.1\r\n".encode() + HOST + b"\r\n", BAD
    for c in b'"(),/:;<=>?@[\\]{}\x01\x7f\x80\xff':
        yield f"method with 0x{c:02x}", b"PO" + bytes([c]) + b"ST / HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    for c in b"\x01\x07\x08\x0b\x0c\x1b\x1f\x7f\x80\xff":
        yield f"target with 0x{c:02x}", b"POST /" + bytes([c]) + b" HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    for v in (b"HTTP/0.9", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9", b"HTTP/1", b"HTTP/1.",
              b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1.1.1", b"HTTP/-1.1", b"HTTP/1,1", b"HTTP1.1", b"http/1.1",
              b"HTTP/A.B", b"ICY/1.1", b"HTTP /1.1", b"HTTP/ 1.1", b"HTTP/1.\xb1"):
        yield f"version {v!r}", b"POST / " + v + b"\r\n" + HOST + b"\r\n", VERSION
    for n in (16385, 20000, 33000, 60000, 1000000):
        yield f"target of {n}", b"POST /" + b"a" * (n - 1) + b" HTTP/1.1\r\n" + HOST + b"\r\n", TOO_LONG
    yield "query of 17000 separators", b"POST /?" + b"&" * 17000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", TOO_LONG
    yield "method of 40000", b"P" * 40000 + b" / HTTP/1.1\r\n" + HOST + b"\r\n", TOO_LONG
    yield "version of 40000", b"POST / HTTP/1." + b"1" * 40000 + b"\r\n" + HOST + b"\r\n", TOO_LONG


def header_lines():
    yield "bare LF after header", LINE + b"Host: localhost\nX: y\r\n\r\n", BAD
    yield "bare LF as empty line", HEAD + b"\n", BAD
    yield "bare LF everywhere", HEAD.replace(b"\r", b"") + b"\n", BAD
    yield "CR alone as line end", HEAD + b"X: a\rY: b\r\n\r\n", BAD
    yield "CR CR LF", HEAD + b"X: a\r\r\n\r\n", BAD
    yield "LF CR", HEAD + b"X: a\n\r\n\r\n", BAD
    yield "folded with blank", HEAD + b"X: a\r\n b\r\n\r\n", BAD
    yield "folded with tab", HEAD + b"X: a\r\n\tb\r\n\r\n", BAD
    yield "folded to nothing", HEAD + b"X: a\r\n \r\n\r\n", BAD
    yield "folded Host", LINE + b"Host:\r\n localhost\r\n\r\n", BAD
    yield "folded Content-Length", HEAD + b"Content-Length:\r\n 5\r\n\r\nhello", BAD
    yield "folded Transfer-Encoding", HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", BAD
    yield "folded first line", LINE + b" " + HOST + b"\r\n", BAD
    yield "no colon", HEAD + b"X\r\n\r\n", BAD
    yield "no name", HEAD + b": x\r\n\r\n", BAD
    yield "only a colon", HEAD + b":\r\n\r\n", BAD
    yield "blank before colon", HEAD + b"X : a\r\n\r\n", BAD
    yield "tab before colon", HEAD + b"X\t: a\r\n\r\n", BAD
    yield "Content-Length with blank before colon", HEAD + b"Content-Length : 5\r\n\r\nhello", BAD
    yield "NUL in name", HEAD + b"X\0: a\r\n\r\n", BAD
    yield "NUL first in value", HEAD + b"X: \0a\r\n\r\n", BAD
    yield "NUL inside value", HEAD + b"X: a\0b\r\n\r\n", BAD
    yield "NUL last in value", HEAD + b"X: a\0\r\nY: b\r\n\r\n", BAD
    yield "NUL hides Content-Length", HEAD + b"X: a\0\r\nContent-Length: 5\r\n\r\nhello", BAD
    yield "NUL for the colon", HEAD + b"Content-Length\0 5\r\n\r\nhello", BAD
    for c in b'"(),/;<=>?@[\\]{}\x01\x0b\x1f\x7f\x80\xff':
        yield f"name with 0x{c:02x}", HEAD + b"X" + bytes([c]) + b"Y: a\r\n\r\n", BAD
    for c in b"\x01\x02\x07\x08\x0b\x0c\x1a\x1b\x1f\x7f":
        yield f"value with 0x{c:02x}", HEAD + b"X: a" + bytes([c]) + b"b\r\n\r\n", BAD
    yield "no Host", LINE + b"\r\n", BAD
    yield "two Hosts", HEAD + HOST + b"\r\n", BAD
    yield "two Hosts, other case", HEAD + b"hOST: other\r\n\r\n", BAD
    for v in (b"a b", b"a/b", b"u@a", b"a\\b", b"a?b", b"a#b", b"<a>", b'"a"', b"\x80"):
        yield f"Host {v!r}", LINE + b"Host: " + v + b"\r\n\r\n", BAD
    for n in (101, 200, 500, 3000, 10000):
        yield f"{n} headers", HEAD + b"X:\r\n" * (n - 1) + b"\r\n", {431}
    for n in (33000, 48000, 100000, 1000000):
        yield f"value of {n}", HEAD + b"X: " + b"x" * n + b"\r\n\r\n", {431}
    yield "name of 40000", HEAD + b"X" * 40000 + b": y\r\n\r\n", {431}
    yield "10000 cookies", HEAD + b"Cookie: " + b"a;" * 10000 + b"\r\n\r\n", {400, 431}
    for v in (b"gzip", b"deflate", b"br", b"zstd", b"x-gzip", b"aws-chunked", b"identity, gzip", b"gzip, identity", b""):
        yield f"Content-Encoding {v!r}", HEAD + b"Content-Encoding: " + v + b"\r\nContent-Length: 0\r\n\r\n", BAD
    yield "Content-Encoding hidden in a second header", HEAD + (
        b"Content-Encoding: identity\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"), BAD


def framing():
    for v in (b"", b"x", b"-1", b"+5", b"5 5", b"5,5", b"5, 5", b"5;", b"0x5", b"5.0", b"5e0", b"1_0", b"\x85", b"5\x0b",
              b"five", b"NaN", b"''", b"5\xc2\xa0"):
        yield f"Content-Length {v!r}", HEAD + b"Content-Length: " + v + b"\r\n\r\nhello", BAD
    for v in (b"4194305", b"18446744073709551615", b"9223372036854775808", b"4294967296", b"00000000000000000004194305"):
        yield f"Content-Length {v!r}", HEAD + b"Content-Length: " + v + b"\r\n\r\nhello", {413}
    for v in (b"18446744073709551616", b"18446744073709551621", b"99999999999999999999999999"):
        yield f"Content-Length {v!r}", HEAD + b"Content-Length: " + v + b"\r\n\r\nhello", {400, 413}
    yield "two equal Content-Lengths", HEAD + b"Content-Length: 5\r\n" * 2 + b"\r\nhello", BAD
    yield "two Content-Lengths", HEAD + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello", BAD
    yield "Content-Length before chunked", HEAD + (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), BAD
    yield "Content-Length after chunked", HEAD + (
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), BAD
    yield "smuggled request", HEAD + (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                                      b"1c\r\nGET /smuggled HTTP/1.1\r\nX: y\r\n0\r\n\r\n"), BAD
    for v in (b"", b"gzip", b"identity", b"xchunked", b"chunkedx", b"chunked, chunked", b"gzip, chunked", b"chunked, gzip",
              b"chunked, identity", b"chunked;q=1", b'"chunked"', b"\x0bchunked", b"chunked\x0b", b"chun ked", b"compress",
              b",chunked", b"chunked,"):
        yield f"Transfer-Encoding {v!r}", HEAD + b"Transfer-Encoding: " + v + b"\r\n\r\n0\r\n\r\n", BAD
    yield "two Transfer-Encodings", HEAD + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n", BAD
    yield "Transfer-Encoding and again identity", HEAD + (
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"), BAD
    yield "chunked in HTTP/1.0", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD
    for size in (b"", b" ", b"x", b"-1", b"+1", b"0x1", b"1 ", b" 1", b"1\t", b"g", b"1g", b"1\0", b";", b";x"):
        yield f"chunk size {size!r}", CHUNKED + size + b"\r\na\r\n0\r\n\r\n", BAD
    for size in (b"10000000000000000", b"fffffffffffffffff", b"f" * 1000):
        yield f"chunk size of {len(size)} digits", CHUNKED + size + b"\r\na\r\n0\r\n\r\n", {400, 413}
    yield "chunk longer than said", CHUNKED + b"1\r\nab\r\n0\r\n\r\n", BAD
    yield "chunk shorter than said", CHUNKED + b"5\r\nab\r\n0\r\n\r\n", {400, None}
    yield "chunk without end of line", CHUNKED + b"1\r\na0\r\n\r\n", BAD
    yield "chunk with CR only", CHUNKED + b"1\r\na\r0\r\n\r\n", BAD
    yield "no last chunk", CHUNKED + b"1\r\na\r\n", {None}
    yield "trailer without colon", CHUNKED + b"0\r\nX\r\n\r\n", BAD
    yield "trailer without end", CHUNKED + b"0\r\nX: y\r\n", {None}
    yield "trailers of 100000", CHUNKED + b"0\r\n" + b"X: " + b"y" * 100000 + b"\r\n\r\n", {400, 413, 431}
    yield "chunk extension of 100000", CHUNKED + b"1;" + b"x" * 100000 + b"\r\na\r\n0\r\n\r\n", {400, 413, 431, 500}
    big = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    yield "chunked body over the limit", CHUNKED + big * 65 + b"0\r\n\r\n", {413}
    yield "body over the limit", HEAD + b"Content-Length: 4260000\r\n\r\n" + b"x" * 4260000, {413}
    yield "body shorter than said", HEAD + b"Content-Length: 100\r\n\r\nhello", {None}
    yield "head cut off", HEAD + b"Content-Le", {None}
    yield "request line cut off", b"POST / HT", {None}
    yield "nothing", b"", {None}
    yield "empty lines only", b"\r\n" * 100, {400, None}


def other_protocols():
    yield "TLS hello", bytes.fromhex("16030102000100 01fc0303".replace(" ", "")) + b"\x11" * 64 + b"\r\n\r\n", {400, None}
    yield "HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION
    yield "SSH banner", b"SSH-2.0-x\r\n", {400, None}
    yield "SMTP", b"EHLO localhost\r\n", {400, None}
    yield "Redis", b"*1\r\n$4\r\nPING\r\n", {400, None}
    yield "proxy header", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + HEAD + b"\r\n", {400, None}
    yield "zeros", b"\0" * 1000, {400, None}
    yield "zeros and a line end", b"\0" * 1000 + b"\r\n\r\n", {400, None}
    yield "every byte", bytes(range(256)) + b"\r\n\r\n", {400, None}
    yield "SMTP answer", b"220 localhost ESMTP\r\n\r\n", {400, None}


def well_formed():
    """Good HTTP that no client of ours sends: refused by what stands behind the parser."""
    close = b"Connection: close\r\n"
    yield "GET", b"GET / HTTP/1.1\r\n" + HOST + close + b"\r\n", REFUSED
    yield "TRACE", b"TRACE / HTTP/1.1\r\n" + HOST + close + b"\r\n", REFUSED
    yield "unknown method", b"BREW / HTTP/1.1\r\n" + HOST + close + b"\r\n", REFUSED
    yield "star", b"OPTIONS * HTTP/1.1\r\n" + HOST + close + b"\r\n", REFUSED
    yield "up the tree", b"POST /../../etc/passwd HTTP/1.1\r\n" + HOST + close + b"Content-Length: 2\r\n\r\n{}", REFUSED
    yield "upgrade", HEAD + b"Connection: Upgrade, close\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}", REFUSED
    yield "HTTP/1.0 without Host", b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", REFUSED
    yield "binary body", HEAD + close + b"Content-Length: 256\r\n\r\n" + bytes(range(256)), REFUSED
    yield "unknown expectation", HEAD + close + b"Expect: x\r\nContent-Length: 2\r\n\r\n{}", REFUSED | {417}


def cases():
    for part in (request_lines, header_lines, framing, other_protocols, well_formed):
        for name, raw, statuses in part():
            yield f"{part.__name__}: {name}", raw, statuses


def ask(port, raw, timeout=30):
    """Status of the one whole answer, None for an end without one; ValueError for anything else."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        answer = b""
        try:
            s.sendall(raw)
            s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused while we were still sending: what it said is what counts
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    if not answer:
        return None
    head, found, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if not found or not lines[0].startswith(b"HTTP/1.1 "):
        raise ValueError(f"no answer: {answer[:200]!r}")
    lengths = [line for line in lines[1:] if line.lower().startswith(b"content-length:")]
    if len(lengths) != 1 or int(lengths[0].split(b":")[1]) != len(body):
        raise ValueError(f"not one whole answer: {answer[:300]!r}")
    return int(lines[0][9:12])


def main():
    port, wrong, count = int(sys.argv[1]), 0, 0
    for name, raw, statuses in cases():
        count += 1
        try:
            got = ask(port, raw)
            problem = None if got in statuses else f"answered {got}, not {statuses}"
        except (ValueError, OSError) as e:
            problem = str(e)
        if problem:
            wrong += 1
            print(f"{name}: {problem}")
    print(f"{count - wrong} passed, {wrong} failed")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
