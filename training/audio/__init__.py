"""How tiny-audio was made: synthesised sounds with captions, a codec, a decoder of its codes, a judge."""
