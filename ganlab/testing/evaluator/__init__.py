"""What an evaluator must do: its claims, and what they are tried with."""
