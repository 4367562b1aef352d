"""One script for each claim about speed. Only ratios taken side by side in one run are meant to be quoted."""
