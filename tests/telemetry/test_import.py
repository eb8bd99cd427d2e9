"""What an import costs."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["loom.telemetry", "loom.runtime"])
def test_grpc_protobuf_and_the_sdk_are_imported_only_when_exporters_are_made(module: str) -> None:
    heavy = (
        "grpc",
        "google.protobuf",
        "opentelemetry.sdk.trace",
        "opentelemetry.sdk.metrics",
        "mcp",
        "requests",
    )
    script = f"import sys, {module}\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
