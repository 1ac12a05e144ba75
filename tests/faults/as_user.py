"""``python -m tests.faults.as_user NAME PROGRAM ARGUMENT...``: becomes the program, as that user.

PostgreSQL does not run as root. `subprocess` can change the user, too, but forks for it, and the
threads of gRPC in this process don't survive that.
"""

import os
import pwd
import sys

if __name__ == "__main__":
    name, program, *arguments = sys.argv[1:]
    user = pwd.getpwnam(name)
    os.initgroups(name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.execv(program, [program, *arguments])
