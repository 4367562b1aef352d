"""`python -m core.worker`: the worker process."""

from core.worker.workroom import main

main()
