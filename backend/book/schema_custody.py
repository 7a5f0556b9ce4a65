"""Tables of where assets are, who holds them, bookings and audits."""
