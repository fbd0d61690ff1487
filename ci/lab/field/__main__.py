import sys

from lab.field import main

sys.exit(main(sys.argv[1:]))
