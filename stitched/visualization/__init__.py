"""Poses drawn in 2D and 3D: pictures, films and a page that turns them."""
