"""``python -m scrutator`` is the command ``scrutator``."""

from scrutator.checker.cli import main

if __name__ == "__main__":
    main()
