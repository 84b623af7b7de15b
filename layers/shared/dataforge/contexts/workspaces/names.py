"""Names and paths of what is in a workspace: they become files and folders on machines of every kind."""

import re

from dataforge.kernel.texts import Text

MAX_NAME, MAX_PATH = 255, 1024
_FORBIDDEN = re.compile(r'[/\\<>:"|?*\x00-\x1f\x7f]')


def name_mistake(name: str) -> str | None:
    """What is wrong with the name of a repo or vault; None for a good one."""
    if not 1 <= len(name) <= MAX_NAME:
        return Text("must have 1 to {max_name} characters", max_name=MAX_NAME)
    if _FORBIDDEN.search(name):
        return Text('must not contain / \\ < > : " | ? * or control characters')
    if name != name.strip() or name.endswith("."):
        return Text("must not begin or end with a space, or end with a dot")
    return None


def path_mistake(path: str) -> str | None:
    """What is wrong with the folder that a repo or vault has on somebody's machine; None for a good one."""
    if not 1 <= len(path) <= MAX_PATH:
        return Text("must have 1 to {max_path} characters", max_path=MAX_PATH)
    if re.search(r"[\x00-\x1f\x7f]", path):
        return Text("must not contain control characters")
    if ".." in re.split(r"[/\\]", path):
        return Text("must not lead upwards with ..")
    return None
