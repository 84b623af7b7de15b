"""State and profile documents: any bytes that a learning activity keeps here (Communication 2.2)."""
