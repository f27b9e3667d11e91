"""``python -m vstash``: the same as the ``vstash`` command."""

from vstash.cli.main import main

if __name__ == "__main__":
    main()
