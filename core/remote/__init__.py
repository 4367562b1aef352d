"""Remote models: the one loop that asks them, and what it needs of every server. Knows no server's own language; the
providers do.

    model.py             the loop: build, send, read, leave out what is rejected, stop, count, judge; and the Dialect
    partial_output.py    an answer on its way, until it is an Output
    cancellable.py       a stream that can be cancelled while its next chunk is on the way
    sse.py               server-sent events out of bytes
    guarded_client.py    the HTTP client: no redirects, no proxies, allowed addresses, bounded bytes
    address.py           which URLs and addresses may be called
    endpoint.py          which server is called where, with which key
    keys.py              keys in, and out of everything else
    errors.py            HTTP statuses and broken connections as sentences
    json_schema.py       the schema that was typed, and whether a server says that it is wrong
"""
