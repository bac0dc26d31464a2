#!/usr/bin/env python3
"""Writes the golden cases of tests/sigv4, or checks them (--check).

This is a second reading of the Signature Version 4 rules, kept apart from src/auth on purpose: it shares no code and no
tables with it, and uses nothing but hashlib and hmac. Where botocore is installed, --check also asks its signer; a case
whose request botocore would spell differently before signing says so with botocore=False and a reason.
"""
import hashlib
import hmac
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SERVICE = "timestream"
NOW = "20260102T030405Z"
LONG = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)
TEMP = ("ASIATEMPORARY", "temporary+secret/of+the+tests", "Token/with+marks==")
HOST = "Host: ingest.millrace.test"
DATE = "X-Amz-Date: " + NOW
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"


class Case:
    def __init__(self, name, line, headers=(HOST, DATE), body=b"", pair=LONG, region="us-east-1", expires=None,
                 unsigned=(), refusal=None, botocore=True):
        self.name, self.line, self.headers, self.body = name, line, list(headers), body
        self.pair, self.region, self.expires = pair, region, expires
        self.unsigned, self.refusal, self.botocore = unsigned, refusal, botocore


def cases():
    yield Case("get-vanilla", "GET /")
    yield Case("get-host-with-port", "GET /", ["Host: localhost:8443", DATE])
    yield Case("get-region-elsewhere", "GET /", region="ap-southeast-2")
    yield Case("get-region-made-up", "GET /", region="basement")
    yield Case("put-vanilla", "PUT /", body=b"put me")
    yield Case("delete-vanilla", "DELETE /shelf")

    # Query: order, spelling, what is not there.
    yield Case("get-query-empty", "GET /?")
    yield Case("get-query-order-name", "GET /?zinc=1&iron=2&lead=3")
    yield Case("get-query-order-name-case", "GET /?beta=1&Beta=2&alpha=3&Alpha=4")
    yield Case("get-query-order-name-prefix", "GET /?ab=1&a=2&abc=3&a-b=4")
    yield Case("get-query-order-value", "GET /?rack=9&rack=10&rack=1&rack=")
    yield Case("get-query-order-encoded", "GET /?k~=1&k%C3%A9=2&k-=3&k%20=4")
    yield Case("get-query-same-pair-twice", "GET /?rack=7&rack=7")
    yield Case("get-query-unreserved",
               "GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz="
               "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    yield Case("get-query-reserved-encoded", "GET /?path=%2Fa%2Fb&pair=x%3Dy%26z&sum=1%2B1&mail=a%40b%3A%3B")
    yield Case("get-query-space", "GET /?room=boiler%20house&roof%20top=1")
    yield Case("get-query-utf8", "GET /?%E6%B8%A9%E5%BA%A6=%C2%B0C")
    yield Case("get-query-without-value", "GET /?flag&other&third=3", botocore=False)  # spells flag= only when parsed
    yield Case("get-query-named-signature", "GET /?X-Amz-Signature=abc&X-Amz-Date=1")  # mere names in a header-signed one
    yield Case("get-query-empty-value", "GET /?flag=&third=3")
    yield Case("get-query-equals-in-value", "GET /?where=a=b", botocore=False)  # signs the raw '='
    yield Case("get-query-utf8-raw", "GET /?温度=°C", botocore=False)  # signs raw bytes
    yield Case("get-query-lowercase-hex", "GET /?path=%2fa%2fb", botocore=False)  # signs the spelling it finds
    yield Case("get-query-needless-encoding", "GET /?%72ack=%41%2D1", botocore=False)  # as above
    yield Case("get-query-plus", "GET /?sum=1+1", botocore=False)  # as above
    yield Case("get-query-empty-pairs", "GET /?&a=1&&b=2&", botocore=False)  # signs the empty names
    yield Case("get-query-stray-percent", "GET /?load=100%&odd=%zz&cut=%4", botocore=False)  # signs raw '%'
    yield Case("get-query-reserved-raw", "GET /?list=a,b;c/d:e@f!$'()*?", botocore=False)  # signs raw marks

    # Path: normalised first, then encoded over what the wire had.
    yield Case("get-path-unreserved", "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    yield Case("get-path-utf8-raw", "GET /温度")
    yield Case("get-path-utf8-encoded", "GET /%E6%B8%A9%E5%BA%A6")
    yield Case("get-path-space-raw", "GET /boiler house/")
    yield Case("get-path-space-encoded", "GET /boiler%20house/")
    yield Case("get-path-reserved", "GET /a;b=c,d:e@f!$'()*+g")
    yield Case("get-path-slashes", "GET //site//rack//")
    yield Case("get-path-only-slashes", "GET ///", botocore=False)  # takes what follows // for a host
    yield Case("get-path-dot", "GET /./")
    yield Case("get-path-dot-inside", "GET /./site/./rack")
    yield Case("get-path-parent", "GET /site/..")
    yield Case("get-path-parent-twice", "GET /site/rack/../..")
    yield Case("get-path-parent-inside", "GET /site/rack/../shelf")
    yield Case("get-path-above-root", "GET /../../site")
    yield Case("get-path-trailing-slash", "GET /site/rack/")
    yield Case("get-path-three-dots", "GET /site/.../rack")

    # Headers: names, values, repetition.
    yield Case("get-header-order", "GET /", ["X-Zeta: 1", "Accept: */*", DATE, "B-Beta: 2", HOST])
    yield Case("get-header-name-case", "GET /", ["hOST: ingest.millrace.test", "x-AMZ-date: " + NOW, "x-mIxEd: Kept Case"])
    yield Case("get-header-dash-order", "GET /", [HOST, DATE, "X-A-B: 1", "X-A: 2", "X-AB: 3"])
    yield Case("get-header-repeated", "GET /", [HOST, DATE, "X-Rack: one", "X-Rack: two", "X-Rack: three"])
    yield Case("get-header-repeated-order", "GET /", [HOST, DATE, "X-Rack: zz", "X-Rack: aa", "X-Rack: mm"])
    yield Case("get-header-repeated-apart", "GET /", ["x-rack: 4", HOST, "X-RACK: 1", DATE, "X-Rack: 3"])
    yield Case("get-header-trim", "GET /", [HOST, DATE, "X-Rack:    seven   ", "X-Shelf:\tlow\t"])
    yield Case("get-header-inner-spaces", "GET /", [HOST, DATE, "X-Rack: a   b    c"])
    yield Case("get-header-quoted-spaces", "GET /", [HOST, DATE, 'X-Rack: "a   b  c"'])
    yield Case("get-header-tabs", "GET /", [HOST, DATE, "X-Rack: a\t\tb \t c"])
    yield Case("get-header-multiline", "GET /", [HOST, DATE, "X-Rack: first\n   second\n\tthird"])
    yield Case("get-header-empty-value", "GET /", [HOST, DATE, "X-Rack:"])
    yield Case("get-header-commas", "GET /", [HOST, DATE, "X-Rack: a, b ,c", "X-Rack: d"])
    yield Case("get-header-colon", "GET /", [HOST, DATE, "X-Rack: a:b: c"])

    # Dates.
    yield Case("get-date-header", "GET /", [HOST, "Date: Fri, 02 Jan 2026 03:04:05 GMT"])
    yield Case("get-date-header-numeric-zone", "GET /", [HOST, "Date: Fri, 02 Jan 2026 03:04:05 -0000"])
    yield Case("get-date-header-basic", "GET /", [HOST, "Date: " + NOW])
    yield Case("get-date-both", "GET /", [HOST, DATE, "Date: Mon, 09 Sep 2013 23:36:00 GMT"])

    # Bodies.
    yield Case("post-vanilla", "POST /")
    yield Case("post-query", "POST /?rack=7&bay=2")
    yield Case("post-form", "POST /", [HOST, DATE, "Content-Type: application/x-www-form-urlencoded"],
               b"rack=7&temperature=21.5")
    yield Case("post-form-charset", "POST /", [HOST, DATE, "Content-Type: application/x-www-form-urlencoded;  charset=utf-8"],
               b"rack=7&name=%C3%A9t%C3%A9")
    yield Case("post-body-bytes", "POST /", body=bytes(b for b in range(256) if b != 0))
    yield Case("post-body-lines", "POST /", body=b"\nline one\r\n\nline two\n")
    target = "X-Amz-Target: Timestream_20181101."
    json = "Content-Type: application/x-amz-json-1.0"
    write = (b'{"DatabaseName":"plant","TableName":"boilers","Records":[{"MeasureName":"pressure","MeasureValue":"3.25",'
             b'"Time":"1767323000000","Dimensions":[{"Name":"unit","Value":"B\xc3\xa4r-4"}]}]}')
    yield Case("post-write-records", "POST /", ["Host: localhost:8086", json, target + "WriteRecords", DATE], write)
    yield Case("post-content-sha256", "POST /",
               [HOST, json, target + "WriteRecords", DATE, "X-Amz-Content-Sha256: " + hashlib.sha256(write).hexdigest()],
               write)
    yield Case("post-many-headers", "POST /",
               ["amz-sdk-invocation-id: 0b9c3b0e-2f14-4f5e-9b54-8b1d9f3a7c11", "amz-sdk-request: attempt=1; max=3",
                "Content-Length: %d" % len(write), json, "Host: localhost:8086",
                "X-Amz-Content-Sha256: " + hashlib.sha256(write).hexdigest(), DATE, target + "WriteRecords",
                "X-Amz-User-Agent: plant-agent/2.1  ua/2.0"], write)
    yield Case("post-api-version", "POST /",
               [HOST, json, target + "DescribeEndpoints", "X-Amz-Api-Version: 2018-11-01", DATE], b"{}")

    # Temporary credentials: the token signed with the rest, and the token added when the signature was done.
    yield Case("post-token-before", "POST /", [HOST, DATE, "X-Amz-Security-Token: " + TEMP[2]], b"{}", pair=TEMP)
    yield Case("post-token-after", "POST /", [HOST, DATE, "X-Amz-Security-Token: " + TEMP[2]], b"{}", pair=TEMP,
               unsigned=("x-amz-security-token",), botocore=False,  # it signs every header it is given
               refusal="InvalidSignatureException: 'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS "
                       "Authorization.")

    # Presigned.
    yield Case("presign-vanilla", "GET /", [HOST], expires=3600)
    yield Case("presign-one-second", "GET /", [HOST], expires=1)
    yield Case("presign-a-week", "GET /", [HOST], expires=604800)
    yield Case("presign-query", "GET /?zinc=1&Apple=2&apple=3", [HOST], expires=900)
    yield Case("presign-query-utf8", "GET /?%E6%B8%A9=%C2%B0", [HOST], expires=900)
    yield Case("presign-query-spelling", "GET /?path=/a/b&load=%7e", [HOST], expires=900, botocore=False)
    yield Case("presign-path", "GET /boiler%20house/./x", [HOST], expires=900)
    yield Case("presign-headers", "POST /?MaxResults=5", [json, "Host: localhost:8443", target + "ListTables"], expires=900)
    yield Case("presign-body", "POST /", [HOST, json], b'{"MaxResults":5}', expires=900, botocore=False)  # moves the body
    yield Case("presign-token", "GET /", [HOST], pair=TEMP, expires=60)
    yield Case("presign-region", "GET /", [HOST], region="eu-central-1", expires=60)


def sha(data):
    return hashlib.sha256(data).hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def escape(raw):
    return "".join(chr(b) if b in UNRESERVED else "%%%02X" % b for b in raw)


def unescape(raw):
    out, i = bytearray(), 0
    while i < len(raw):
        pair = raw[i + 1:i + 3]
        if raw[i:i + 1] == b"%" and len(pair) == 2 and all(c in b"0123456789abcdefABCDEF" for c in pair):
            out.append(int(pair, 16))
            i += 3
        else:
            out.append(raw[i])
            i += 1
    return bytes(out)


def canonical_path(path):
    kept = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(escape(segment.encode()))
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


def canonical_query(query):
    pairs = []
    for item in query.encode().split(b"&"):
        if item:
            name, _, value = item.partition(b"=")
            pairs.append((escape(unescape(name)), escape(unescape(value))))
    return "&".join(n + "=" + v for n, v in sorted(pairs))


def split_header(header):
    name, _, value = header.partition(":")
    return name.lower(), " ".join(value.split())


def header_date(headers):
    values = dict(split_header(h) for h in reversed(headers))
    if "x-amz-date" in values:
        return values["x-amz-date"]
    return NOW if "date" in values else None


def sign(case):
    """The canonical request, the string to sign, and the Authorization header or the presigned query."""
    method, _, target = case.line.partition(" ")
    path, _, query = target.partition("?")
    values = {}
    for header in case.headers:
        name, value = split_header(header)
        if name not in case.unsigned:
            values.setdefault(name, []).append(value)
    names = ";".join(sorted(values))
    key_id, secret, token = case.pair
    when = header_date(case.headers) or NOW
    scope = "/".join((when[:8], case.region, SERVICE, "aws4_request"))
    if case.expires is not None:
        extra = [("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", key_id + "/" + scope),
                 ("X-Amz-Date", when), ("X-Amz-Expires", str(case.expires)), ("X-Amz-SignedHeaders", names)]
        if token:
            extra.append(("X-Amz-Security-Token", token))
        query = "&".join(([query] if query else []) + [n + "=" + escape(v.encode()) for n, v in extra])
    lines = [method, canonical_path(path), canonical_query(query)]
    lines += [n + ":" + ",".join(values[n]) for n in sorted(values)]
    canonical = "\n".join(lines + ["", names, sha(case.body)])
    to_sign = "\n".join(("AWS4-HMAC-SHA256", when, scope, sha(canonical.encode())))
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = mac(key, part)
    signature = mac(key, to_sign).hex()
    if case.expires is not None:
        return canonical, to_sign, query + "&X-Amz-Signature=" + signature
    return canonical, to_sign, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        key_id, scope, names, signature)


def files(case):
    canonical, to_sign, authorization = sign(case)
    request = "\n".join([case.line] + case.headers + ["", ""]).encode() + case.body
    out = {"request": request, "canonical": canonical.encode(), "string-to-sign": to_sign.encode(),
           "authorization": authorization.encode()}
    if case.refusal:
        out["refusal"] = case.refusal.encode()
    return out


def botocore_answer(case):
    from botocore.auth import SigV4Auth, SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    method, _, target = case.line.partition(" ")
    host = [split_header(h)[1] for h in case.headers if split_header(h)[0] == "host"][0]
    request = AWSRequest(method=method, url="https://" + host + target, data=case.body)
    for header in case.headers:
        name, _, value = header.partition(":")
        request.headers.add_header(name, value.strip())
    request.context["timestamp"] = header_date(case.headers) or NOW
    if case.expires is not None:
        signer = SigV4QueryAuth(Credentials(*case.pair), SERVICE, case.region, expires=case.expires)
        signer._modify_request_before_signing(request)
    else:
        signer = SigV4Auth(Credentials(*case.pair), SERVICE, case.region)
    canonical = signer.canonical_request(request)
    to_sign = signer.string_to_sign(request, canonical)
    return canonical, to_sign, signer.signature(to_sign, request)


def check(case):
    wrong = ["%s/%s differs" % (case.name, f) for f, data in files(case).items()
             if not (HERE / case.name / f).is_file() or (HERE / case.name / f).read_bytes() != data]
    if case.botocore and BOTOCORE:
        ours, theirs = sign(case), botocore_answer(case)
        if ours[:2] != theirs[:2] or not ours[2].endswith("ignature=" + theirs[2]):
            wrong.append("%s: botocore signs\n%s\nwe sign\n%s" % (case.name, theirs[0], ours[0]))
    return wrong


try:
    import botocore.auth  # noqa: F401
    BOTOCORE = True
except ImportError:
    BOTOCORE = False


def main():
    everything = list(cases())
    names = [c.name for c in everything]
    assert len(set(names)) == len(names)
    if "--check" not in sys.argv[1:]:
        for case in everything:
            (HERE / case.name).mkdir(exist_ok=True)
            for name, data in files(case).items():
                (HERE / case.name / name).write_bytes(data)
        return 0
    wrong = [text for case in everything for text in check(case)]
    wrong += ["%s is no case of make.py" % p.name for p in HERE.iterdir() if p.is_dir() and p.name not in names
              and not p.name.startswith("__")]
    print("\n".join(wrong + ["%d cases, %d wrong, %s" % (
        len(everything), len(wrong), "%d asked of botocore" % sum(c.botocore for c in everything) if BOTOCORE
        else "botocore is not installed")]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
