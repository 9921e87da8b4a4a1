"""What an architecture must do: its claims, and what they are tried with."""
