"""Prints the results: a line for each library, and below each what was not as expected."""

from jobs import LOST
from library import REFUSED

COLUMNS = ("echo", "chosen", "unchosen", "setting", "idle", "close", "refused")


def show(rows):
    """`rows` are pairs of a library's name with version, and its list of jobs with outcomes."""
    width = max(len(name) for name, _ in rows)
    print(f"{'':{width}}  " + "  ".join(f"{column:>8}" for column in COLUMNS))
    for name, outcomes in rows:
        cells = (cell(column, outcomes) for column in COLUMNS)
        print(f"{name:{width}}  " + "  ".join(f"{text:>8}" for text in cells))
        for job, outcome in outcomes:
            if outcome != job.expected:
                print(f"    {job.name}: {outcome} (expected: {job.expected})")


def cell(column, outcomes):
    """`-` where there is no such job, else how many of the jobs went as expected, in one word."""
    here = [(job, outcome) for job, outcome in outcomes if job.column == column]
    if not here:
        return "-"
    if any(job.expected != outcome for job, outcome in here):
        return "DIFFERS"
    if column == "close":
        sent = sum(outcome != REFUSED for _, outcome in here)
        return f"{sent} sent"
    if column == "unchosen":
        return "fails" if here[0][1] == "not opened" else "opens"
    if column == "idle":
        return "lost" if here[0][1] == LOST else "ok"
    if column == "refused":
        return "status" if "," in here[0][1] else "ok"
    return "ok"
