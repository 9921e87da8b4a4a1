"""What an objective must do: its claims, and what they are tried with."""
