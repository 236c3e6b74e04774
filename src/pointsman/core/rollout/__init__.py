"""What a rollout may do next, who answers a message, when it goes back by itself, and how it is written down."""
