"""What people are known by in other systems: linked to them, whatever statements came before."""
