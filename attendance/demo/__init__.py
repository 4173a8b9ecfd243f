"""A class without a camera: sample faces, a script, and the real system between them."""
