"""How workers are spoken to: one module per transport, each an implementation of `ports.Transport`.

Only `assembly` names them. What they share: `work` (what a worker is given), `failures` (what its answer means) and
`wire` (a small HTTP/1.1 client).
"""
