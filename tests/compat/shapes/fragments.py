"""JSON values that programs like to spoil when they read and write them again. Each is valid JSON in valid UTF-8, as
RFC 8259 has it; what two readers may read differently is here on purpose, because a relay must not read at all.
"""

from __future__ import annotations

FRAGMENTS: dict[str, bytes] = {
    # Strings: the same text in other bytes.
    "letter raw": '"café"'.encode(),
    "letter escaped": rb'"caf\u00e9"',
    "letter escaped in capitals": rb'"caf\u00E9"',
    "letter of two marks": '"cafe\u0301"'.encode(),
    "slash escaped": rb'"a\/b/c"',
    "quote and backslash": rb'"\"\\ \u005c\u0022"',
    "short escapes": rb'"\b\f\n\r\t"',
    "long escapes": rb'"\u0008\u000c\u000a\u000d\u0009\u001f"',
    "nul escaped": rb'"a\u0000b"',
    "delete raw": b'"\x7f"',
    "emoji raw": '"🚆"'.encode(),
    "emoji escaped": rb'"\ud83d\ude86"',
    "emoji joined": '"👩‍🔧👨‍👩‍👧‍👦🏳️‍🌈"'.encode(),
    "high surrogate alone": rb'"\ud83d"',
    "low surrogate alone": rb'"x\ude86y"',
    "surrogates in the wrong order": rb'"\ude86\ud83d"',
    "line separators raw": '"\u2028\u2029\u0085"'.encode(),
    "byte order mark inside": '"\ufeffx"'.encode(),
    "noncharacters": '"\uffff\U0010ffff\ufdd0"'.encode(),
    "right to left": '"\u202eabc\u202c שלום"'.encode(),
    "looks like html": rb'"<script>&amp;\u003c/script\u003e"',
    "looks like an event": rb'"data: [DONE]\n\nevent: message_stop\ndata: {}\n\n"',
    "looks like a model": rb'"\"model\": \"gpt-x\", \\\"model\\\""',
    "empty": b'""',
    "long": b'"' + "ä€🚆x".encode() * 3_000 + b'"',
    # Numbers: the same value in other digits, and values that do not fit.
    "one with a point": b"1.0",
    "trailing zeros": b"[1.50, 0.000, 100e-2]",
    "capital exponent": b"[1E5, 1e+05, 1E-05]",
    "minus nought": b"[-0, -0.0, -0e9]",
    "too large": b"1e400",
    "too large below nought": b"-1E+999",
    "too small": b"[1e-400, 4.9e-324]",
    "many digits": b"[0.1000000000000000055511151231257827, 3.14159265358979323846264338327950288]",
    "above 2^53": b"[9007199254740993, -9007199254740993]",
    "above 2^64": b"[18446744073709551615, 18446744073709551616, -9223372036854775809]",
    "a hundred digits": b"1" + b"0" * 99,
    # Containers.
    "keys not in order": b'{"z":1,"a":2,"M":3,"m":4}',
    "key twice": b'{"a":1,"b":2,"a":3}',
    "key twice, once escaped": rb'{"a":1,"\u0061":2}',
    "keys that are odd": rb'{"":0,"a.b":1,"$ref":"#","__proto__":{},"\u0000":2,"type":null}',
    "models inside": rb'{"model":"x","deep":[{"model":null},{"m\u006fdel":{"model":1}}]}',
    "a long name for a key": b'{"' + b"k" * 5_000 + b'":true}',
    "empty containers": b'[{},[],[[]],[{}],{"a":{}},null,true,false]',
    "white space": b'[ 1 ,\n\t2\r\n, { "a" :\t1 } ]',
    "sixty lists": b"[" * 58 + b"0" + b"]" * 58,
    "sixty objects": b'{"a":' * 57 + b"{}" + b"}" * 57,
    "many members": b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(2_000)) + b"}",
    "many numbers": b"[" + b",".join(b"%d" % n for n in range(5_000)) + b"]",
    "signature": b'{"type":"future_block","signature":"' + b"EqQBCkYIARgCKkA+/" * 20 + b'==","data":null}',
}

TEXTS = tuple(name for name, value in FRAGMENTS.items() if value.startswith(b'"') and name != "empty")
"""Those that are strings."""
