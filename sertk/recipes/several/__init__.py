"""What is said of several runs at once: compared, voted, weighed, drawn over a setting."""
