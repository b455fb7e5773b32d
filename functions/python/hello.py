#!/usr/bin/env python3
"""GET /python/{name}: a CGI program in Python, by `runtime: exec`."""

import json
import os
import sys
from urllib.parse import parse_qs

query = parse_qs(os.environ.get("QUERY_STRING", ""))
reply = {
    "hello": os.environ.get("BOTHY_PARAM_name", "world"),
    "greeting": query.get("greeting", ["hello"])[0],
    "python": sys.version.split()[0],
    "request": os.environ.get("BOTHY_REQUEST_ID"),
}
if os.environ.get("REQUEST_METHOD") == "POST":
    length = int(os.environ.get("CONTENT_LENGTH") or 0)
    reply["body"] = sys.stdin.buffer.read(length).decode(errors="replace")

print("Content-Type: application/json\r\n\r")
print(json.dumps(reply))
