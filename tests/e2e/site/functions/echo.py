#!/usr/bin/python3 -IS
"""What echo.c says, as a CGI program."""
import json
import os
import sys
import zlib

body = sys.stdin.buffer.read()
reply = json.dumps({"env": dict(os.environ), "bytes": len(body),
                    "crc32": zlib.crc32(body), "pid": os.getpid(),
                    "cwd": os.getcwd()}).encode()
sys.stdout.buffer.write(b"Content-Type: application/json\r\n\r\n" + reply)
