"""How the built-in models were made. Nothing here is imported by the app."""
