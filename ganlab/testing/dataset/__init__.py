"""What a data set must do: its claims, and what they are tried with."""
