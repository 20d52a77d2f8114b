# Runs the text of the bootstrap, which is the last argument, if the interpreter can run it. Any
# version of Python can read this file. Both are ASCII: without a locale, Python 3.6 takes nothing
# else.
import sys

if sys.version_info < (3, 6):
    sys.stderr.write(
        "%s is Python %s, and functions with runtime \"python3\" need Python 3.6 or newer: set "
        "interpreter of the function to one, and port the code if it is for Python 2\n"
        % (sys.executable, sys.version.split()[0]))
    sys.exit(1)
exec(compile(sys.argv.pop(), "<longhold>", "exec"))
