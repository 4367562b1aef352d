"""What every remote provider needs: a guarded connection, keys, prices, sentences for what goes wrong, and an answer
that can be stopped. Knows no server's own language; the providers do.
"""
