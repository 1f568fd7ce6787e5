"""How a department hears of its work."""
