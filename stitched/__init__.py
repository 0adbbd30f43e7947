"""Where stages are joined: pictures and videos in, poses out."""
