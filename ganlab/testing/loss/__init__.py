"""What a loss must do: its claims, and what they are tried with."""
