"""Says in words how a job went, from what the library said and what cleanup was told."""

import re

from jobs import LOST
from library import REFUSED


def outcome(job, result, told):
    """The words that `Job.expected` is compared with."""
    if result.failed == "connect":
        return refusal(job, result)
    if result.failed == "close" and job.code is not None:
        return REFUSED
    if result.failed == "idle" and told == "lost":
        return LOST
    if result.failed:
        return f"failed at {result.failed}: {result.error}"
    ended = "no cleanup" if told is None else told
    return f"{result.subprotocol or 'none'}, {ended}" if job.offers else ended


def refusal(job, result):
    if job.column != "refused":
        # A library may refuse an answer that names no subprotocol. Anything else is a fault.
        return "not opened" if job.offers else f"not opened: {result.error}"
    status = result.status or named(result.error)
    return f"not opened, {status}" if status else "not opened"


def named(error):
    """The status in the text of an error."""
    found = re.search(r"\b(403|404|502|503|504)\b", error)
    return found.group() if found else ""
