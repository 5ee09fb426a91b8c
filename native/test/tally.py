"""Counts test cases in meson's testlog.json: each line of TAP is one, a program without TAP is one.

Prints every failure and skip, and last "PASSED FAILED". A program that died counts its cases that never ran as failed.
"""

import json
import re
import sys


def cases(test):
    """Names of failed and skipped cases, and the number of passed ones."""
    text = test.get("stdout", "") + "\n" + test.get("stderr", "")
    lines = re.findall(r"^(not ok|ok) \d+(?: - | )?(.*)$", text, re.MULTILINE)
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", text, re.MULTILINE))
    skipped = [name for _, name in lines if name.startswith("# SKIP")]  # cmocka calls a skipped case "not ok"
    failed = [name for verdict, name in lines if verdict == "not ok" and not name.startswith("# SKIP")]
    passed = len(lines) - len(failed) - len(skipped)
    died = test["result"] not in ("OK", "SKIP")
    if not lines and not died:
        passed = 1
    if died and len(lines) < planned:
        failed += ["a case that never ran"] * (planned - len(lines))
    if died and not failed:
        failed = [test["result"].lower()]
    return passed, failed, skipped


passed_all = failed_all = 0
with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        test = json.loads(line)
        passed, failed, skipped = cases(test)
        for figure in re.findall(r"^# (\d+ .*)$", test.get("stdout", ""), re.MULTILINE):
            print(f"{test['name']}: {figure}")
        passed_all += passed
        failed_all += len(failed)
        for name in skipped:
            print(f"SKIPPED {test['name']}: {name}")
        for name in failed:
            print(f"FAILED {test['name']}: {name}")
        if failed:
            for text in (test.get("stdout", ""), test.get("stderr", "")):
                print("\n".join(text.splitlines()[-80:]))
print(passed_all, failed_all)
