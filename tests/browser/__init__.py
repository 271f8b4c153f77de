"""What a learner sees and does, in a real JupyterLab in a real Chromium."""
