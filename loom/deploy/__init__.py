"""loom-deploy: profile → plan → artifacts → writer → engine → verify."""
