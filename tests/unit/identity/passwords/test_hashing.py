"""Hashes of passwords: how many are made at once, however many people sign in together."""

import subprocess
import sys

import pytest

from dataforge.contexts.identity.passwords.hashing import AT_ONCE
from infra.local.layout import SOURCE_PATH

# In a process of its own, since the peak of memory is the process's; more threads than asyncio has by itself.
_MANY = """
import resource
from concurrent.futures import ThreadPoolExecutor
from dataforge.contexts.identity.passwords.hashing import hash_password, verify_password

right = "correct horse battery"
encoded = hash_password(right)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ThreadPoolExecutor(40) as pool:
    answers = list(pool.map(lambda n: verify_password(encoded, right if n % 2 else "wrong"), range(40)))
assert answers == [bool(n % 2) for n in range(40)], answers
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_many_sign_ins_at_once_take_no_more_memory_than_a_few() -> None:
    command, environment = [sys.executable, "-c", _MANY], {"PYTHONPATH": SOURCE_PATH}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)

    assert int(done.stdout) < AT_ONCE * 64 + 60  # MiB; forty at once would take 2,560
