"""`python -m automl` is the command `automl`."""

from automl.cli.main import main

main()
