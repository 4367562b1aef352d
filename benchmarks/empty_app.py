"""The Streamlit app that `benchmarks.onlooker` compares with: a few controls, and nothing behind them."""

import streamlit as st

st.title("Empty")
st.selectbox("Model", ["one", "two"])
st.text_area("Prompt", "Hello")
st.number_input("Temperature", 0.0, 2.0, 0.7)
st.slider("Tokens", 1, 100, 50)
st.button("Generate")
