"""The database: its tables, its transactions and the vault that seals what is biometric."""
