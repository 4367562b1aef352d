"""Diptych without its pages: experiments, the engine that runs them, the models behind it, the history of it all."""
