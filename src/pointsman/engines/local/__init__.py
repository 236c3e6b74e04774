"""The engine that lives in this process: schedulers in memory, and a journal that may make them durable."""
