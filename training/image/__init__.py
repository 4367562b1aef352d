"""How tiny-image was made: drawn scenes with captions, an autoencoder, a diffusion model, a judge."""
