"""`loom-deploy secrets set`: a secret from elsewhere, on standard input."""

import sys

import click

from loom.cli.keeping import show
from loom.cli.vault import Target, which
from loom.deploy.credentials.keeping import put
from loom.errors import InputError, Problem


@click.command("set")
@click.argument("holder")
@click.argument("file")
@which
def command(target: Target, holder: str, file: str) -> None:
    """Keep what comes on standard input as the secret FILE of HOLDER; on a terminal it is asked for.

    Such as: loom-deploy secrets set alertmanager pager_url --profile prod < url.txt
    """
    terminal = sys.stdin.isatty()
    value = click.prompt(f"{holder}/{file}", hide_input=True) if terminal else _text(f"{holder}/{file}")
    kept = put(target.plan, target.made, holder, file, value)
    show(target, [one for one in kept if (one.holder, one.name) == (holder, file) or one.state == "changed"])


def _text(secret: str) -> str:
    # Bytes: whether the interpreter refuses what is no UTF-8 is a matter of the locale.
    try:
        return sys.stdin.buffer.read().decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        # The decoder's own words are not passed on: they show a byte of the secret.
        raise InputError(Problem("is not UTF-8", secret, hint="convert it: iconv -t utf-8")) from None
