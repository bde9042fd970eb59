"""What can go wrong between a model's name and its files, each explained in one sentence."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mot_dinov3.errors import ModelError, hide_secrets

NO_DOWNLOAD = "Or run without any download: --embed-model demo (and --det motion or --det demo)"


class GatedModelError(ModelError):
    """The model needs its authors' consent before it can be downloaded."""


class UnsupportedModelError(ModelError):
    """The model is there, but the installed packages cannot build it."""


class OfflineModelError(ModelError):
    """The model is not in the cache, and the hub cannot be asked."""


def explain(error: Exception, model_id: str, open_choice: str) -> ModelError:
    """What a failed download means for the user, from the hub's answer or the lack of one."""
    from huggingface_hub.errors import (
        FileMetadataError,
        GatedRepoError,
        RepositoryNotFoundError,
    )

    cause = _answer(error)
    response = getattr(cause, "response", None)
    status = getattr(response, "status_code", None)
    if isinstance(cause, GatedRepoError):
        return gated(
            model_id, open_choice, hide_secrets(str(getattr(cause, "server_message", "") or ""))
        )
    said = hide_secrets(str(getattr(cause, "server_message", "") or "")).strip().rstrip(".")
    if isinstance(cause, RepositoryNotFoundError):
        return unknown(model_id)
    if status == 401:
        return ModelError(
            f"Hugging Face does not accept the access token ({said or 'HTTP 401'}).",
            fix="Renew it at https://huggingface.co/settings/tokens and put it into .env as "
            "HF_TOKEN=hf_xxx, or log in with: hf auth login",
        )
    if status is not None:
        return ModelError(
            f"Hugging Face answered HTTP {status} for '{model_id}'{f' ({said})' if said else ''}.",
            fix=f"Try again later.\n{NO_DOWNLOAD}",
        )
    if isinstance(cause, FileMetadataError):
        return _another(model_id)
    return _offline(cause, model_id)


def _another(model_id: str) -> OfflineModelError:
    """The message for an answer that is not the hub's: a login page, or a proxy's own page."""
    from huggingface_hub import constants

    return OfflineModelError(
        f"Model '{model_id}' is not in the local cache, and what {constants.ENDPOINT} answers is "
        "not an answer of Hugging Face: another machine is in between.",
        fix="Log in to the network with a browser, or check the proxy settings.\n"
        f"Or fetch it elsewhere with: hf download {model_id}\n{NO_DOWNLOAD}",
    )


def _answer(error: Exception) -> BaseException:
    """The deepest cause that carries the hub's answer, else the deepest cause of all."""
    chain: list[BaseException] = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) and inner not in chain:
        chain.append(inner)
    answered = [item for item in chain if getattr(item, "response", None) is not None]
    return answered[0] if answered else chain[0] if _is_local(chain[0]) else chain[-1]


NETWORK_ERRORS = (ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)
CONNECTION_PROBLEMS = (
    (("gaierror", "resolve", "name or service"), "its name is not known here"),
    (("proxy",), "the proxy refuses"),
    (("ssl", "certificate"), "its certificate cannot be checked"),
    (("timeout", "timed out"), "it does not answer in time"),
    (("refused",), "the connection was refused"),
    (("reset", "aborted", "disconnected"), "the connection broke off"),
)
"""Words in an error of the network, and its kind -> what they mean."""
NETWORK_NUMBERS = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


def _is_local(error: BaseException) -> bool:
    """Whether the disk refused, not the network: both are `OSError`s with a number."""
    if not isinstance(error, OSError) or isinstance(error, NETWORK_ERRORS):
        return False
    return error.errno is not None and error.errno not in NETWORK_NUMBERS


def describe_connection(error: BaseException) -> str:
    """Why an address cannot be reached, in a few words."""
    words = f"{type(error).__name__} {error}".lower()
    for signs, said in CONNECTION_PROBLEMS:
        if any(sign in words for sign in signs):
            return said
    return "no connection"


def gated(model_id: str, open_choice: str, said: str = "") -> GatedModelError:
    """The message for a model behind a gate; `said` is what the hub answered, which tells why."""
    from huggingface_hub import get_token

    page = f"https://huggingface.co/{model_id}"
    open_step = f"Or choose an open model: {open_choice}"
    visit = f'Visit {page} while logged in and click "Agree" or "Request access".'
    token = "Give an access token: put HF_TOKEN=hf_xxx into .env, or log in with: hf auth login"
    words = said.lower()
    if "awaiting" in words or "pending" in words:
        why = "your request for access is pending: its authors have not reviewed it yet"
        steps = [f"Look at {page} now and then; once accepted, run this again.", open_step]
    elif "rejected" in words or "refused" in words:
        why = "its authors have refused your request for access"
        steps = [f"Ask them at {page}/discussions, or use another account's token.", open_step]
    elif "fine-grained" in words:
        why = "your access token may not read gated models"
        steps = [
            "Allow it public gated repositories at https://huggingface.co/settings/tokens.",
            open_step,
        ]
    elif get_token() is None:
        why = "no access token was found"
        steps = [visit, token, open_step]
    else:
        why = "the account of your access token has no access to it yet"
        steps = [visit, "Make sure that the token belongs to the same account.", open_step]
    listed = "\n".join(f"  {number}) {step}" for number, step in enumerate(steps, 1))
    return GatedModelError(
        f"Model '{model_id}' is gated on Hugging Face, and {why}.", fix=f"To use it:\n{listed}"
    )


def unknown(model_id: str) -> ModelError:
    """The message for a name that is neither a directory nor a public model."""
    return ModelError(
        f"There is no model '{model_id}': no such directory here, and Hugging Face knows no such "
        "public model.",
        fix="Check the spelling (owner/name, such as facebook/dinov2-base). A private model needs "
        "an access token: HF_TOKEN=hf_xxx in .env, or hf auth login.",
    )


def _offline(cause: BaseException, model_id: str) -> ModelError:
    from huggingface_hub import constants

    if _is_local(cause):
        return ModelError(
            f"'{model_id}' cannot be stored in the cache {constants.HF_HUB_CACHE} "
            f"({hide_secrets(str(cause))}).",
            fix="Make room there, or move the cache with the variable HF_HOME.",
        )
    if constants.HF_HUB_OFFLINE:
        setting = "HF_HUB_OFFLINE" if os.environ.get("HF_HUB_OFFLINE") else "TRANSFORMERS_OFFLINE"
        why, remedy = f"the variable {setting} forbids to fetch it", f"Unset {setting}"
    else:
        why = f"{constants.ENDPOINT} cannot be reached ({describe_connection(cause)})"
        remedy = "Check the connection"
    return OfflineModelError(
        f"Model '{model_id}' is not in the local cache, and {why}.",
        fix=f"{remedy}, or fetch it beforehand with: hf download {model_id}\n{NO_DOWNLOAD}",
    )


@contextmanager
def reword(words: Mapping[str, str]) -> Iterator[None]:
    """Let the loaders of embedders, which others use as well, name the flags of those others.

    Args:
        words: what their advice says -> what it shall say.
    """
    try:
        yield
    except ModelError as error:
        for said, better in words.items():
            error.fix = error.fix.replace(said, better)
        raise
