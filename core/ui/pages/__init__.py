"""What one page each is made of. Imports components and session, never another page."""
