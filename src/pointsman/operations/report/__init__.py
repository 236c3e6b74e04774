"""The deployment report of a rollout: evidence is collected, composed into one document, and written in two forms."""
