# Recipes of loom-deploy. Without just or uv on the machine: ./loomw RECIPE

set positional-arguments
export PATH := justfile_directory() / ".venv/bin:" + justfile_directory() / ".loomw/seed/bin:" + env("PATH")
default:
    @just --list --unsorted

# Start PROFILE on the best engine that can work here, send an example through it, prove that it arrived
[group('run')]
up profile="dev": _env
    loom-deploy up --profile "$1" --prove

# Stop PROFILE and remove its data; `loom-deploy down` keeps it
[group('run')]
down profile="dev": _env
    loom-deploy down --profile "$1" --volumes

# Build or find the pinned real programs
[group('run')]
toolchain: _env
    loom-deploy toolchain install

# Everything a change must pass: the static gates, then every test
[group('check')]
check: lint test

# Formatting, lint, types, one-way imports, and what is committed under generated/
[group('check')]
lint: _env
    ruff format --check .
    ruff check .
    mypy
    lint-imports
    loom-deploy render --all --check

# Every test, on the real programs too; with a Docker Engine the smoke tests once more, in containers
[group('check')]
test *args: _env toolchain _images
    pytest "$@"
    [ $# -gt 0 ] || ! docker info >/dev/null 2>&1 || pytest tests/smoke --engine compose

# The tests that need no program
[group('check')]
unit *args: _env
    pytest -m "not smoke" "$@"

# Faults on running programs, in their long form: outages of a minute, every alert, ten steady minutes
[group('check')]
fire *args: _env toolchain
    LOOM_FIRE=long pytest tests/fire "$@"

# Speed as ratios against peers, with their gates
[group('check')]
bench *args: _env toolchain
    python -m bench "$@"

# Write generated/ and the profiles' JSON Schema anew
[group('make')]
render: _env
    loom-deploy render --all
    loom-deploy schema --output profiles/profile.schema.json

# Format and repair what ruff can
[group('make')]
format: _env
    ruff format .
    ruff check --fix .

# Resolve every lock anew from pyproject.toml
[group('make')]
lock: _env
    uv pip compile -q --upgrade --universal --generate-hashes --no-header --no-annotate --extra toolchain --group dev pyproject.toml -o locks/dev.txt
    uv pip compile -q --universal --generate-hashes --no-header --no-annotate -c locks/dev.txt --extra openai pyproject.toml -o loom/deploy/images/requirements.txt
    uv pip compile -q --upgrade --universal --generate-hashes --no-header --no-annotate --group bench pyproject.toml -o locks/bench.txt

# Where no Docker Engine answers, tests of containers say so, and fail if CI is set
_images: _env
    @! docker info >/dev/null 2>&1 || loom-deploy images build --profile prod
_env:
    @./loomw --prepare
