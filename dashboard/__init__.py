"""The Streamlit dashboard: draws what core returns."""
