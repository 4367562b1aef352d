"""tiny-text: a small language model on which prompts matter. Data, train, evaluate, in that order."""
