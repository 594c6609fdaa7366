-- What database ms5 has before the program works in it. Run by the superuser on the primary, as often as it changes.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS pgaudit;
