"""Files of any format as typed tables, without a word about versions."""
