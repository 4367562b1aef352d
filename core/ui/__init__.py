"""The pages' half of core: the only rooms that know Streamlit. Acts go to the engine or the history."""
