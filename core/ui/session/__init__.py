"""What one visitor and the process hold: state, drafts, owner, resources, the table of pages.

Imports no other floor of the interface.
"""
