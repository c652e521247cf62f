"""tap.py - runs the test functions of an end-to-end test: TAP lines."""


class Skip(Exception):
    """What a test raises that finds it cannot be made here; and why."""


def run(tests, skipped=(), why=""):
    """Each function is a test, named as it is; one that raises has failed, but
    Skip. Those in skipped are not run, for the reason why. Returns: did one
    fail?"""
    failed = False
    for test in tests:
        name = test.__name__.replace("_", " ")
        if test in skipped:
            print(f"ok - {name} # SKIP {why}")
            continue
        try:
            test()
            print(f"ok - {name}")
        except Skip as reason:
            print(f"ok - {name} # SKIP {reason}")
        except Exception as what:    # also one that nobody foresaw
            print(f"not ok - {name}: {type(what).__name__}: {what}")
            failed = True
    return failed
