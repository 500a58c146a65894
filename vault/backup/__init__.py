"""What a backup consists of: its files, their bytes, and what is said of them."""
