"""Visitors for `make soak`: sessions that speak Streamlit's own protocol, and what they do."""
