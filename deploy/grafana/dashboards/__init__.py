"""Grafana's dashboards, as code. `python -m deploy.grafana.dashboards` writes them as JSON.

A development tool: nothing that runs imports it. Grafana is given what it wrote, in `json/`.
"""
