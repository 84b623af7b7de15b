"""Names and paths of what is in a workspace: they become files and folders on machines of every kind."""

import re

MAX_NAME, MAX_PATH = 255, 1024
_FORBIDDEN = re.compile(r'[/\\<>:"|?*\x00-\x1f\x7f]')


def name_mistake(name: str) -> str | None:
    """What is wrong with the name of a repo or vault; None for a good one."""
    if not 1 <= len(name) <= MAX_NAME:
        return f"must have 1 to {MAX_NAME} characters"
    if _FORBIDDEN.search(name):
        return 'must not contain / \\ < > : " | ? * or control characters'
    if name != name.strip() or name.endswith("."):
        return "must not begin or end with a space, or end with a dot"
    return None


def path_mistake(path: str) -> str | None:
    """What is wrong with the folder that a repo or vault has on somebody's machine; None for a good one."""
    if not 1 <= len(path) <= MAX_PATH:
        return f"must have 1 to {MAX_PATH} characters"
    if re.search(r"[\x00-\x1f\x7f]", path):
        return "must not contain control characters"
    if ".." in re.split(r"[/\\]", path):
        return "must not lead upwards with .."
    return None
