"""What a plugin as a whole must do: its claims, and what they are tried with."""
