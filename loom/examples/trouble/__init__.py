"""Programs in trouble, on purpose: each fault that an alert is about, made and mended."""
