"""A worker on stdio in a dozen lines: one JSON object a line in, one a line out, matched by `id`.

In the settings: a worker with transport = "subprocess" and command = ["python", "subprocess_worker.py"].
"""

import json
import sys

for line in sys.stdin:
    message = json.loads(line)
    reply = {"id": message["id"], "attempt": message["attempt"], "text": f"done: {message.get('text')}"}
    print(json.dumps(reply), flush=True)
