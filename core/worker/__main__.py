"""`python -m core.worker`: the worker process."""

from core.worker.server import main

main()
