"""What an operator does with a router besides running it: the demonstration, and later simulation, plans and checks."""
