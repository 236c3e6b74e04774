"""A small pooled HTTP/1.1 client: correct, streaming, and cheap enough to stand on every message's way.

It decides nothing about messages. It follows no redirect, asks no proxy but the one it is given, keeps no cookie,
decodes no content coding and repeats nothing that may have reached the other side. Bytes go through llhttp (httptools)
in its strict mode.

    client = HttpClient("http://127.0.0.1:9000", max_connections=4)
    with await client.request("POST", "/run", [("content-type", "application/json")], body) as response:
        async for chunk in response.chunks(): ...
"""
