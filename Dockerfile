# The Loom runtime: Python, the locked packages, this repository's wheel; no compiler, no package manager of its own,
# not root. `loom-deploy images build` builds it, also where no image can be pulled. By hand, with the Python of BASE:
#
#   pip install --target packages --require-hashes -r loom/deploy/images/requirements.txt
#   pip install --target own --no-deps .
#   docker build -t localhost/loom-runtime:0.1.0 .
#
# Other programs than the example: docker run localhost/loom-runtime:0.1.0 -m loom.examples.pipeline
ARG BASE=python:3.13-slim
FROM ${BASE}
COPY packages/ /opt/loom/
# Compiled here, since a container's own files are read-only; by content, since a copy has times of its own.
RUN ["python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "/opt/loom"]
# A file, not PYTHONPATH: a program that ours starts, such as an MCP server, does not inherit the environment.
RUN ["python3", "-c", "import pathlib, site; to = pathlib.Path(site.getsitepackages()[0], 'loom.pth'); to.parent.mkdir(parents=True, exist_ok=True); to.write_text('/opt/loom')"]
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /tmp
# Healthy means: where telemetry goes takes connections. No shell is needed to ask. After an absence of the collector
# the next check tells soon.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=9 \
    CMD ["python3", "-c", "import os, socket, urllib.parse; at = urllib.parse.urlsplit(os.environ.get('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://localhost:4317')); socket.create_connection((at.hostname, at.port or 4317), 3)"]
ENTRYPOINT ["python3"]
CMD ["-m", "loom.examples.load"]
# Last, what changes most: all above comes from Docker's cache then.
COPY own/ /opt/loom/
RUN ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/opt/loom/loom"]
USER 10001:10001
