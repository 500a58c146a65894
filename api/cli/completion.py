"""`strongroom completion`: what a shell needs to complete the command."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    \b
    eval "$(strongroom completion bash)"                                      in ~/.bashrc
    eval "$(strongroom completion zsh)"                                       in ~/.zshrc
    strongroom completion fish > ~/.config/fish/completions/strongroom.fish
    """
    kind = get_completion_class(shell)
    if kind is None:  # for the type alone: the choices are those click knows
        raise click.UsageError("no such shell")
    click.echo(kind(ctx.find_root().command, {}, "strongroom", "_STRONGROOM_COMPLETE").source())
