"""Behind `pointsman train` and `pointsman evaluate`: from files to a model, its figures and a report of them."""
