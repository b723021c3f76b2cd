"""The web service of Arbitre: entry points, HTTP, services, tables and rules, in floors."""
