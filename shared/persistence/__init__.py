"""A context's own database: connections, migrations, client tokens, and the outbox of its sagas."""
